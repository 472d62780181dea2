package infer

import "github.com/shallow-waters/shoal/onnxio"

// Mapped is the node that makes a value a list of maps from a class's name to its number, as scikit-learn's converter ends classifiers; nil where
// the value is another one. The node's first input is the table that the maps are rows of.
func Mapped(v *onnxio.Value) *onnxio.Node {
	if v == nil || v.Producer == nil {
		return nil
	}
	n := v.Producer
	if n.Op != "ZipMap" || n.Domain != "ai.onnx.ml" || len(n.Inputs) != 1 || n.Inputs[0] == nil || len(n.Outputs) != 1 {
		return nil
	}
	return n
}

// Unmapped returns a copy of a graph whose outputs are tables where those of the graph are lists of maps. A graph without such outputs is given back
// as it is.
func Unmapped(g *onnxio.Graph) *onnxio.Graph {
	any := false
	if g.Check() == nil {
		for _, v := range g.Outputs {
			any = any || Mapped(v) != nil
		}
	}
	if !any {
		return g
	}
	g = g.Clone()
	for i, v := range g.Outputs {
		if n := Mapped(v); n != nil {
			g.Outputs[i] = n.Inputs[0]
		}
	}
	return Live(g)
}

// Remapped puts the maps of a graph back at the ends of what was made of its Unmapped.
func Remapped(of, made *onnxio.Graph) *onnxio.Graph {
	if of.Check() != nil || made.Check() != nil {
		return made
	}
	for i, v := range of.Clone().Outputs {
		n := Mapped(v)
		if n == nil || i >= len(made.Outputs) {
			continue
		}
		n.Inputs[0] = made.Outputs[i]
		made.Nodes, made.Outputs[i] = append(made.Nodes, n), v
	}
	return made
}

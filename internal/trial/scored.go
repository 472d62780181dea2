package trial

import (
	"slices"

	"github.com/shallow-waters/shoal/onnxio"
)

// model is what is to be asked: the file's model, or the part of it that the scores need, with the samples in front where two samples showed them
// along another axis (turned).
func (c candidate) model(m *onnxio.Model) (scored *onnxio.Model, turned bool, err error) {
	g, whole := c.Graph, c.Graph == m.Graph
	if !whole && g.Outputs[0].DType == onnxio.Undefined {
		g.Outputs[0].DType = c.DType
	}
	if c.Grows && c.Axis > 0 {
		if t := turnedOutput(g, c.Shape, c.DType, c.Axis); t != nil {
			scored, err = onnxio.NewModel(t, "shoal")
			turned = err == nil
		}
	}
	switch {
	case turned && whole:
		scored.SHA256 = m.SHA256
	case turned:
	case whole:
		return m, false, nil
	default:
		if scored, err = onnxio.NewModel(g, "shoal"); err != nil {
			return nil, false, err
		}
	}
	scored.Path = m.Path
	return scored, turned, nil
}

// turnedOutput is a graph of one output with the samples in front, which lie along an axis behind the first; nil where no node can be put behind it.
func turnedOutput(g *onnxio.Graph, shape []int, dtype onnxio.DType, axis int) *onnxio.Graph {
	g = g.Clone()
	v := g.Outputs[0]
	if v.Producer == nil || slices.ContainsFunc(g.Nodes, func(n *onnxio.Node) bool {
		named := false
		inBranches(n, func(name string) { named = named || name == v.Name })
		return named
	}) {
		return nil
	}
	perm := []int64{int64(axis)}
	for k := range shape {
		if k != axis {
			perm = append(perm, int64(k))
		}
	}
	n := &onnxio.Node{Name: "shoal_arrange/" + v.Name, Op: "Transpose", Inputs: []*onnxio.Value{v}, Attrs: onnxio.Attrs{"perm": perm}}
	for _, old := range g.Nodes {
		if old.Domain == "" {
			n.Opset = old.Opset
		}
	}
	if n.Opset == 0 {
		return nil
	}
	out := &onnxio.Value{Name: v.Name, DType: dtype, Producer: n}
	v.Name += "/arranged"
	n.Outputs = []*onnxio.Value{out}
	g.Nodes, g.Outputs = append(g.Nodes, n), []*onnxio.Value{out}
	return g
}

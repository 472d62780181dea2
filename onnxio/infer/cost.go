package infer

import (
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/operators"
	"github.com/shallow-waters/shoal/onnxio"
)

// Cost is what a node costs: parameters are the elements of the weights that it reads first, of real numbers or quantised, multiply-adds those of
// products.
type Cost struct {
	Node       *onnxio.Node
	Parameters int
	MACs       int
}

// shaped tells whether the shapes of a node's values are those of its operator, as they are in a prepared graph.
func shaped(n *onnxio.Node) bool {
	def, err := operators.Lookup(n)
	if err != nil || def.Shape == nil {
		return false
	}
	types, err := def.Shape(n)
	return err == nil && len(types) > 0 && slices.Equal(types[0].Shape, n.Outputs[0].Shape)
}

// weighs tells whether a constant of a type is weights where a node reads it as input i: real numbers are. Integers are where products are taken of
// them, and, in at most 8 bits, wherever they lie, as a quantised model's do; zero points are none.
func weighs(def *op.Def, i int, t onnxio.DType) bool {
	switch {
	case t.IsFloat():
		return true
	case t == onnxio.Bool || t == onnxio.String || slices.Contains(def.ZeroPoints, i):
		return false
	}
	return def.MACs != nil || t.Bits() <= 8
}

// Costs lists the nodes of a prepared graph with their costs. Nodes without a first output are left out.
func Costs(g *onnxio.Graph) []Cost {
	if g.Check() != nil {
		return nil
	}
	counted := map[*onnxio.Value]bool{}
	var out []Cost
	for _, n := range g.Nodes {
		if len(n.Outputs) == 0 || n.Outputs[0] == nil {
			continue
		}
		c := Cost{Node: n}
		def, err := operators.Lookup(n)
		if err != nil {
			def = &op.Def{}
		}
		for i, v := range n.Inputs {
			if v != nil && v.Const != nil && !counted[v] && weighs(def, i, v.Const.DType) {
				counted[v] = true
				c.Parameters += v.Const.Len()
			}
		}
		if def.MACs != nil && shaped(n) {
			c.MACs = def.MACs(n)
		}
		out = append(out, c)
	}
	return out
}

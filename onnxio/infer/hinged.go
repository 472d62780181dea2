package infer

import (
	"context"

	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/operators"
	"github.com/shallow-waters/shoal/onnxio"
)

// Hinged gives a copy of a graph that was made ready in which operators that no search can split (maxima of several values, products) are written in
// hinges and squares, which one can. Over the real numbers both compute the same. ok is false where there is none.
func Hinged(ctx context.Context, g *onnxio.Graph) (made *onnxio.Graph, ok bool, err error) {
	if err := g.Check(); err != nil {
		return nil, false, err
	}
	err = budget.Do(ctx, func() error {
		made = g.Clone()
		e := op.NewEmitter(ctx, operators.Table(), made, "hinged")
		e.Opset = op.MaxOpset
		var nodes []*onnxio.Node
		for _, n := range made.Nodes {
			if err := ctx.Err(); err != nil {
				return err
			}
			def, err := operators.Lookup(n)
			if err != nil {
				return err
			}
			var parts []*onnxio.Node
			if sized(n) {
				if parts, err = e.WriteHinges(def, n); err != nil {
					return err
				}
			}
			if parts == nil {
				nodes = append(nodes, n)
				continue
			}
			ok = true
			nodes = append(nodes, parts...)
		}
		made.Nodes = nodes
		return nil
	})
	return made, ok, err
}

// sized tells whether all inputs of a node are there, with their shapes.
func sized(n *onnxio.Node) bool {
	for _, v := range n.Inputs {
		if v == nil || v.Shape == nil && v.Const == nil {
			return false
		}
	}
	return true
}

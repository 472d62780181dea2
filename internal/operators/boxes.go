package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

// pairBoxes spreads the boxes of a node's two inputs to the broadcast shape, and allocates the output's.
func pairBoxes(n *onnxio.Node, in []relax.Box) (out, a, b relax.Box, err error) {
	shape, err := broadcastInputs(n)
	if err != nil {
		return
	}
	sa, sb := n.Inputs[0].Shape, n.Inputs[1].Shape
	a = relax.Box{Lower: broadcastTo(in[0].Lower, sa, shape), Upper: broadcastTo(in[0].Upper, sa, shape)}
	b = relax.Box{Lower: broadcastTo(in[1].Lower, sb, shape), Upper: broadcastTo(in[1].Upper, sb, shape)}
	return relax.NewBox(product(shape)), a, b, nil
}

// boxForms is the Linear face of operators of which only the Interval face is known: lower and upper forms without terms.
func boxForms(interval func(*onnxio.Node, []relax.Box) ([]relax.Box, error), e op.Execution) func(*onnxio.Node) (*op.Linear, error) {
	return func(n *onnxio.Node) (*op.Linear, error) {
		return &op.Linear{Execution: e, Relax: func(_ relax.Slope, in []relax.Box) (*relax.Relaxation, error) {
			out, err := interval(n, in)
			if err != nil {
				return nil, err
			}
			return relax.ConstantForms(out[0]), nil
		}}, nil
	}
}

// uniform tells whether all numbers of a list are the same.
func uniform(v []float64) bool {
	for _, x := range v {
		if x != v[0] {
			return false
		}
	}
	return true
}

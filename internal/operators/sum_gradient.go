package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// sumGradient is the Gradient face of sums: dy for every input, times the signs where they are given.
func sumGradient(signs ...float64) op.GradientFunc {
	return func(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
		dx := make([]*onnxio.Value, len(n.Inputs))
		for i, v := range n.Inputs {
			if !e.Wants(n, i) {
				continue
			}
			dx[i] = e.Unbroadcast(dy[0], v.Shape)
			if i < len(signs) && signs[i] < 0 {
				dx[i] = e.Neg(dx[i])
			}
		}
		return dx
	}
}

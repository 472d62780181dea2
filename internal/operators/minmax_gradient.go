package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// extremeGradient is the Gradient face of Max and Min: dy goes to the first input that reaches the extreme.
func extremeGradient(largest bool) op.GradientFunc {
	return func(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
		y := n.Outputs[0]
		dx := make([]*onnxio.Value, len(n.Inputs))
		var taken *onnxio.Value
		for i, x := range n.Inputs {
			var here *onnxio.Value
			if i == len(n.Inputs)-1 && taken != nil { // what is left
				here = e.Op("Not", nil, taken)
			} else {
				away := e.Greater(y, x)
				if !largest {
					away = e.Greater(x, y)
				}
				here = e.Op("Not", nil, away)
				if taken != nil {
					here = e.Op("And", nil, here, e.Op("Not", nil, taken))
				}
			}
			if e.Wants(n, i) {
				dx[i] = e.Unbroadcast(e.KeepWhere(here, dy[0]), x.Shape)
			}
			if taken == nil {
				taken = here
			} else if i < len(n.Inputs)-1 {
				taken = e.Op("Or", nil, taken, here)
			}
		}
		return dx
	}
}

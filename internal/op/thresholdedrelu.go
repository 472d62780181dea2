// thresholdedrelu.go — ThresholdedRelu, opset 10, 22: y = x where x > alpha, else 0. alpha may be any number.

package op

import (
	"math"

	"github.com/shallow-waters/shoal/onnxio"
)

func init() {
	Register(Def{
		Name: "ThresholdedRelu", Since: 10,
		Attrs:    Attributes{"alpha": anyValue},
		AnyOrder: true,
		Shape:    sameShape, Eval: thresholdedEval,
		Gradient: thresholdedGradient,
		Interval: func(n *onnxio.Node, in []Box) ([]Box, error) {
			return elementInterval(thresholdedBounds(thresholdedAlpha(n)))(n, in)
		},
		Linear: thresholdedLinear,
		Couple: coupleElementwise,
	})
}

func thresholdedAlpha(n *onnxio.Node) float64 { return float64(n.Attrs.Float("alpha", 1)) }

func thresholdedEval(c *Call) error {
	return eachFloat(c, func(x, alpha, _ float64) float64 {
		if x > alpha {
			return x
		}
		return 0
	}, thresholdedAlpha(c.Node), 0)
}

func thresholdedBounds(alpha float64) func(l, u float64) (lo, hi float64) {
	return func(l, u float64) (float64, float64) {
		switch {
		case u <= alpha:
			return 0, 0
		case l > alpha:
			return l, u
		}
		return min(0, alpha), max(0, u)
	}
}

// thresholdedLinear: at alpha both parts count, the function jumps.
func thresholdedLinear(n *onnxio.Node) (*Linear, error) {
	alpha := thresholdedAlpha(n)
	if !finite(alpha) {
		return nil, unsupported(n, "Linear", "alpha is not a finite number")
	}
	p := newPieced(0, part{level(0), convex, alpha, 0}, part{straight(1), convex, math.Inf(1), 0})
	return &Linear{Lines: p.lines(thresholdedBounds(alpha)), Execution: Exact("exact")}, nil
}

// thresholdedGradient passes dy where x > alpha.
func thresholdedGradient(e *Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	return onlyFirst(e.keepWhere(e.GreaterC(n.Inputs[0], thresholdedAlpha(n)), dy[0]))
}

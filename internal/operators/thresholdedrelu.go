// thresholdedrelu.go — ThresholdedRelu, opset 10, 22: y = x where x > alpha, else 0. alpha may be any number.

package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

var thresholdedReluOp = op.Def{
	Name: "ThresholdedRelu", Since: 10,
	Attrs:    op.Attributes{"alpha": op.AnyValue},
	AnyOrder: true,
	Shape:    sameShape, Eval: thresholdedEval,
	Gradient: thresholdedGradient,
	Interval: func(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
		return elementInterval(thresholdedBounds(thresholdedAlpha(n)))(n, in)
	},
	Linear: thresholdedLinear,
	Couple: coupleElementwise,
}

func thresholdedAlpha(n *onnxio.Node) float64 { return float64(n.Attrs.Float("alpha", 1)) }

func thresholdedEval(c *op.Call) error {
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
func thresholdedLinear(n *onnxio.Node) (*op.Linear, error) {
	alpha := thresholdedAlpha(n)
	if !sound.Finite(alpha) {
		return nil, op.Unsupported(n, "Linear", "alpha is not a finite number")
	}
	p := relax.NewPieced(0, relax.NewPart(relax.Level(0), relax.Convex, alpha, 0), relax.NewPart(relax.Straight(1), relax.Convex, math.Inf(1), 0))
	return &op.Linear{Lines: p.Lines(thresholdedBounds(alpha)), Family: p, Execution: op.Exact("exact")}, nil
}

// thresholdedGradient passes dy where x > alpha.
func thresholdedGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	return onlyFirst(e.KeepWhere(e.GreaterC(n.Inputs[0], thresholdedAlpha(n)), dy[0]))
}

// softplus.go — Softplus, opset 1, 22: y = ln(1 + exp(x)).

package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

var softplusOp = op.Def{
	Name: "Softplus", Since: 1, AnyOrder: true,
	Shape: sameShape, Eval: float64Only(softplus),
	Gradient: softplusGradient,
	Interval: elementInterval(rising(softplusCurve.F)),
	Linear: pieced(relax.NewPieced(0, relax.NewPart(softplusCurve, relax.Convex, math.Inf(1), 0)), rising(softplusCurve.F), 8, 0x1p-22,
		"scan of onnxruntime 1.32.0 (CPU), every 1499th float32: at most 4 ulp down to its underflow; an ulp of 1 for others"),
	Couple: coupleElementwise,
}

// softplus adds what does not cancel.
func softplus(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

// softplusCurve: exp and log1p each claim less than 1 ulp. The derivative is the sigmoid.
var softplusCurve = relax.Curve{
	F: func(x float64) (float64, float64) {
		lo, hi := relax.Widen(softplus(x), 4*expMargin)
		return max(lo, 0), hi
	},
	D: sigmoidBounds,
}

// softplusGradient: sigmoid x.
var softplusGradient = derivative(func(e *op.Emitter, _ *onnxio.Node, x, _ *onnxio.Value) *onnxio.Value {
	return e.Op("Sigmoid", nil, x)
})

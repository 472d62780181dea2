// tan.go — Tan, opset 7, 22: y = tan(x). Bounds are known for |x| <= 1.5.

package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

var tanOp = op.Def{
	Name: "Tan", Since: 7, AnyOrder: true,
	Shape: sameShape, Eval: float64Only(math.Tan),
	Gradient: tanGradient,
	Interval: elementInterval(tanRange),
	Linear: lines(relax.NewPieced(0, relax.Steepening(tanCurve)...).Lines(tanRange), 4,
		"scan of onnxruntime 1.32.0 (CPU), every 1499th float32: at most 0.6 ulp; CUDA documents 4"),
	Couple: coupleElementwise,
}

// tanLimit keeps away from the pole at pi/2 = 1.57..., where the argument's rounding counts.
const tanLimit = 1.5

// tanMargin is the relative error that we allow math.Tan where |x| <= tanLimit.
const tanMargin = 16 * 0x1p-52

// tanCurve: tan' = 1 + tan^2.
var tanCurve = relax.Curve{
	F: func(x float64) (float64, float64) { return relax.Widen(math.Tan(x), tanMargin) },
	D: func(x float64) (float64, float64) { t := math.Tan(x); return relax.Widen(1+t*t, 3*tanMargin) },
}

// tanRange knows nothing of a box that reaches beyond tanLimit.
func tanRange(l, u float64) (lo, hi float64) {
	if !(l >= -tanLimit && u <= tanLimit) {
		return math.Inf(-1), math.Inf(1)
	}
	return rising(tanCurve.F)(l, u)
}

// tanGradient: 1+y*y.
var tanGradient = derivative(func(e *op.Emitter, _ *onnxio.Node, _, y *onnxio.Value) *onnxio.Value {
	return e.AddC(e.Mul(y, y), 1)
})

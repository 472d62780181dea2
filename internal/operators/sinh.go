// sinh.go — Sinh, opset 9, 22: y = (exp(x) - exp(-x)) / 2.

package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

var sinhOp = op.Def{
	Name: "Sinh", Since: 9, AnyOrder: true,
	Shape: sameShape, Eval: float64Only(math.Sinh),
	Gradient: sinhGradient,
	Interval: elementInterval(rising(sinhCurve.F)),
	Linear: lines(relax.NewPieced(0, relax.Steepening(sinhCurve)...).Lines(rising(sinhCurve.F)), 4,
		"scan of onnxruntime 1.32.0 (CPU), every 1499th float32: at most 1.1 ulp; CUDA documents 3"),
	Couple: coupleElementwise,
}

// sinhMargin is the relative error that we allow math.Sinh and math.Cosh.
const sinhMargin = 8 * 0x1p-52

var sinhCurve = relax.Curve{F: sinhBounds, D: coshBounds}

func sinhBounds(x float64) (lo, hi float64) { return overflowing(math.Sinh(x), x) }
func coshBounds(x float64) (lo, hi float64) { return overflowing(math.Cosh(x), x) }

// overflowing widens a value that may have overflown while exp(|x|)/2 had not: then it is over a quarter of the largest float64.
func overflowing(y, x float64) (lo, hi float64) {
	switch {
	case math.IsInf(x, 0):
		return y, y
	case math.IsInf(y, 1):
		return math.MaxFloat64 / 4, y
	case math.IsInf(y, -1):
		return y, -math.MaxFloat64 / 4
	}
	return relax.Widen(y, sinhMargin)
}

// sinhGradient: cosh x.
var sinhGradient = derivative(func(e *op.Emitter, _ *onnxio.Node, x, _ *onnxio.Value) *onnxio.Value {
	return e.Op("Cosh", nil, x)
})

// asinh.go — Asinh, opset 9, 22: y = ln(x + sqrt(x*x + 1)).

package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

var asinhOp = op.Def{
	Name: "Asinh", Since: 9, AnyOrder: true,
	Shape: sameShape, Eval: float64Only(math.Asinh),
	Gradient: asinhGradient,
	Interval: elementInterval(rising(asinhCurve.F)),
	Linear: lines(relax.NewPieced(0, relax.Wave(asinhCurve)...).Lines(rising(asinhCurve.F)), 4,
		"scan of onnxruntime 1.32.0 (CPU), every 1499th float32: at most 1.0 ulp; CUDA documents 3"),
	Couple: coupleElementwise,
}

// asinhMargin is the relative error that we allow math.Asinh, math.Acosh and math.Atanh (FreeBSD's algorithms).
const asinhMargin = 8 * 0x1p-52

// asinhCurve: asinh' = 1/sqrt(1 + x*x), by Hypot, which does not overflow.
var asinhCurve = relax.Curve{
	F: func(x float64) (float64, float64) {
		if math.IsInf(x, 0) {
			return x, x
		}
		return relax.Widen(math.Asinh(x), asinhMargin)
	},
	D: func(x float64) (float64, float64) { return relax.Widen(1/math.Hypot(1, x), 8*0x1p-52) },
}

// asinhGradient: 1/sqrt(x*x+1).
var asinhGradient = derivative(func(e *op.Emitter, _ *onnxio.Node, x, _ *onnxio.Value) *onnxio.Value {
	return e.InverseRoot(e.AddC(e.Mul(x, x), 1))
})

// acosh.go — Acosh, opset 9, 22: y = ln(x + sqrt(x*x - 1)), not a number below 1.

package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

var acoshOp = op.Def{
	Name: "Acosh", Since: 9, AnyOrder: true,
	Shape: sameShape, Eval: float64Only(math.Acosh),
	Gradient: acoshGradient,
	Interval: elementInterval(acoshRange),
	Linear: lines(relax.NewPieced(0, relax.NewPart(acoshCurve, relax.Concave, math.Inf(1), 0)).Lines(acoshRange), 4,
		"scan of onnxruntime 1.32.0 (CPU), every 1499th float32: at most 1.0 ulp; CUDA documents 4"),
	Couple: coupleElementwise,
}

// acoshCurve: acosh' = 1/(sqrt(x-1)*sqrt(x+1)), infinite at 1.
var acoshCurve = relax.Curve{
	F: func(x float64) (float64, float64) {
		if math.IsInf(x, 1) {
			return x, x
		}
		lo, hi := relax.Widen(math.Acosh(x), asinhMargin)
		return max(lo, 0), hi
	},
	D: func(x float64) (float64, float64) {
		d := 1 / (math.Sqrt(x-1) * math.Sqrt(x+1))
		if !sound.Finite(d) {
			return math.MaxFloat64, math.Inf(1)
		}
		return relax.Widen(d, 8*0x1p-52)
	},
}

// acoshRange knows nothing of a box that reaches below 1.
func acoshRange(l, u float64) (lo, hi float64) {
	if !(l >= 1) {
		return math.Inf(-1), math.Inf(1)
	}
	return rising(acoshCurve.F)(l, u)
}

// acoshGradient: 1/sqrt(x*x-1).
var acoshGradient = derivative(func(e *op.Emitter, _ *onnxio.Node, x, _ *onnxio.Value) *onnxio.Value {
	return e.InverseRoot(e.AddC(e.Mul(x, x), -1))
})

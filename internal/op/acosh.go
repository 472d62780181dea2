// acosh.go — Acosh, opset 9, 22: y = ln(x + sqrt(x*x - 1)), not a number below 1.

package op

import (
	"math"

	"github.com/shallow-waters/shoal/onnxio"
)

func init() {
	Register(Def{
		Name: "Acosh", Since: 9, AnyOrder: true,
		Shape: sameShape, Eval: float64Only(math.Acosh),
		Gradient: acoshGradient,
		Interval: elementInterval(acoshRange),
		Linear:   lines(newPieced(0, part{acoshCurve, concave, math.Inf(1), 0}).lines(acoshRange), 4, "scan of onnxruntime 1.32.0 (CPU), every 1499th float32: at most 1.0 ulp; CUDA documents 4"),
		Couple:   coupleElementwise,
	})
}

// acoshCurve: acosh' = 1/(sqrt(x-1)*sqrt(x+1)), infinite at 1.
var acoshCurve = curve{
	f: func(x float64) (float64, float64) {
		if math.IsInf(x, 1) {
			return x, x
		}
		lo, hi := widen(math.Acosh(x), asinhMargin)
		return max(lo, 0), hi
	},
	d: func(x float64) (float64, float64) {
		d := 1 / (math.Sqrt(x-1) * math.Sqrt(x+1))
		if !finite(d) {
			return math.MaxFloat64, math.Inf(1)
		}
		return widen(d, 8*0x1p-52)
	},
}

// acoshRange knows nothing of a box that reaches below 1.
func acoshRange(l, u float64) (lo, hi float64) {
	if !(l >= 1) {
		return math.Inf(-1), math.Inf(1)
	}
	return rising(acoshCurve.f)(l, u)
}

// acoshGradient: 1/sqrt(x*x-1).
var acoshGradient = derivative(func(e *Emitter, _ *onnxio.Node, x, _ *onnxio.Value) *onnxio.Value {
	return e.inverseRoot(e.AddC(e.Mul(x, x), -1))
})

// softsign.go — Softsign, opset 1, 22: y = x / (1 + |x|).

package op

import (
	"math"

	"github.com/shallow-waters/shoal/onnxio"
)

func init() {
	Register(Def{
		Name: "Softsign", Since: 1, AnyOrder: true,
		Shape: sameShape, Eval: float64Only(func(x float64) float64 { return x / (1 + math.Abs(x)) }),
		Gradient: softsignGradient,
		Interval: elementInterval(rising(softsignCurve.f)),
		Linear:   softsignLinear,
		Couple:   coupleElementwise,
	})
}

// softsignLinear: executions may multiply by a reciprocal, which is flushed to zero from 2^126 on. Nothing but the size of the result is known there.
func softsignLinear(*onnxio.Node) (*Linear, error) {
	exec := Within(4, 0, "two roundings; scan of onnxruntime 1.32.0 (CPU): at most 1.2 ulp").Depending(func(in []Box, err []float64) {
		for i := range err {
			if !(magnitude(in[0], i) < 0x1p125) {
				err[i]++
			}
		}
	})
	return &Linear{Lines: newPieced(0, wave(softsignCurve)...).lines(rising(softsignCurve.f)), Execution: exec}, nil
}

// softsignCurve has two roundings, and its derivative 1/(1+|x|)^2 four.
var softsignCurve = curve{
	f: func(x float64) (float64, float64) {
		y := math.Copysign(1, x)
		if !math.IsInf(x, 0) {
			y = x / (1 + math.Abs(x))
		}
		lo, hi := widen(y, 4*0x1p-52)
		return max(lo, -1), min(hi, 1)
	},
	d: func(x float64) (float64, float64) {
		r := 1 / (1 + math.Abs(x))
		return widen(r*r, 8*0x1p-52)
	},
}

// wave is a curve that is convex up to 0 and concave from there on.
func wave(c curve) []part { return []part{{c, convex, 0, 0}, {c, concave, math.Inf(1), 0}} }

// steepening is a curve that is concave up to 0 and convex from there on.
func steepening(c curve) []part { return []part{{c, concave, 0, 0}, {c, convex, math.Inf(1), 0}} }

// softsignGradient: 1/(1+|x|)^2.
var softsignGradient = derivative(func(e *Emitter, _ *onnxio.Node, x, _ *onnxio.Value) *onnxio.Value {
	r := e.Op("Reciprocal", nil, e.AddC(e.Op("Abs", nil, x), 1))
	return e.Mul(r, r)
})

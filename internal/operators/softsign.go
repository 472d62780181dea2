// softsign.go — Softsign, opset 1, 22: y = x / (1 + |x|).

package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

var softsignOp = op.Def{
	Name: "Softsign", Since: 1, AnyOrder: true,
	Shape: sameShape, Eval: float64Only(func(x float64) float64 { return x / (1 + math.Abs(x)) }),
	Gradient: softsignGradient,
	Interval: elementInterval(rising(softsignCurve.F)),
	Linear:   softsignLinear,
	Couple:   coupleElementwise,
}

// softsignLinear: executions may multiply by a reciprocal, which is flushed to zero from 2^126 on. Nothing but the size of the result is known there.
func softsignLinear(*onnxio.Node) (*op.Linear, error) {
	exec := op.Within(4, 0, "two roundings; scan of onnxruntime 1.32.0 (CPU): at most 1.2 ulp").Depending(func(in []relax.Box, err []float64) {
		for i := range err {
			if !(in[0].Magnitude(i) < 0x1p125) {
				err[i]++
			}
		}
	})
	p := relax.NewPieced(0, relax.Wave(softsignCurve)...)
	return &op.Linear{Lines: p.Lines(rising(softsignCurve.F)), Family: p, Execution: exec}, nil
}

// softsignCurve has two roundings, and its derivative 1/(1+|x|)^2 four.
var softsignCurve = relax.Curve{
	F: func(x float64) (float64, float64) {
		y := math.Copysign(1, x)
		if !math.IsInf(x, 0) {
			y = x / (1 + math.Abs(x))
		}
		lo, hi := relax.Widen(y, 4*0x1p-52)
		return max(lo, -1), min(hi, 1)
	},
	D: func(x float64) (float64, float64) {
		r := 1 / (1 + math.Abs(x))
		return relax.Widen(r*r, 8*0x1p-52)
	},
}

// softsignGradient: 1/(1+|x|)^2.
var softsignGradient = derivative(func(e *op.Emitter, _ *onnxio.Node, x, _ *onnxio.Value) *onnxio.Value {
	r := e.Op("Reciprocal", nil, e.AddC(e.Op("Abs", nil, x), 1))
	return e.Mul(r, r)
})

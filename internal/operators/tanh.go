// tanh.go — Tanh, opset 6, 13: y = tanh(x).

package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

var tanhOp = op.Def{
	Name: "Tanh", Since: 6, Rising: always, AnyOrder: true,
	Shape:    sameShape,
	Eval:     elementwise(func(x float32) float32 { return float32(math.Tanh(float64(x))) }, math.Tanh),
	Gradient: tanhGradient,
	Interval: tanhInterval,
	Linear: func(*onnxio.Node) (*op.Linear, error) {
		return &op.Linear{Lines: tanhLines, Family: tanhCurve, Execution: op.Within(tanhUlps, tanhAbsErr, sigmoidSource)}, nil
	},
	Couple: coupleElementwise,
}

// tanhMargin is the relative error that we allow math.Tanh: 4 units in the last place. Its source comments state a peak of
// 2.5e-16 (1.1 ulp) for the rational part (Cephes); TestMathIsAsGoodAsClaimed checks half the margin against big.Float.
const tanhMargin = 4 * 0x1p-52

// expMargin is the same for math.Exp, whose comments claim less than 1 ulp.
const expMargin = 4 * 0x1p-52

var tanhCurve = relax.NewSCurve(relax.Curve{
	F: func(x float64) (float64, float64) {
		lo, hi := relax.Widen(math.Tanh(x), tanhMargin)
		return max(lo, -1), min(hi, 1)
	},

	D: func(x float64) (float64, float64) {
		e := math.Exp(-2 * math.Abs(x))
		lo, hi := relax.Widen(4*e/((1+e)*(1+e)), 3*expMargin)
		return max(lo, 0), min(hi, 1)
	},
}, func(x float64) (y, slope float64) {
	e := math.Exp(-2 * math.Abs(x))
	r := 1 / (1 + e)
	return math.Copysign((1-e)*r, x), 4 * e * r * r
})

func tanhLines(_ relax.Slope, l, u []float64, out *relax.Lines) {
	for i := range l {
		tanhCurve.Lines(i, l[i], u[i], out)
	}
}

func tanhInterval(_ *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
	out := relax.NewBox(len(in[0].Lower))
	for i := range out.Lower {
		l, _ := tanhCurve.F(in[0].Lower[i])
		_, u := tanhCurve.F(in[0].Upper[i])
		if math.IsNaN(l) || math.IsNaN(u) {
			l, u = -1, 1
		}
		out.Lower[i], out.Upper[i] = l, u
	}
	return []relax.Box{out}, nil
}

// tanhGradient: 1-y*y.
var tanhGradient = derivative(func(e *op.Emitter, _ *onnxio.Node, _, y *onnxio.Value) *onnxio.Value {
	return e.MinusSquare(y)
})

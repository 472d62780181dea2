// tanh.go — Tanh, opset 6, 13: y = tanh(x).

package op

import (
	"math"

	"github.com/shallow-waters/shoal/onnxio"
)

func init() {
	Register(Def{
		Name: "Tanh", Since: 6, AnyOrder: true,
		Shape:    sameShape,
		Eval:     elementwise(func(x float32) float32 { return float32(math.Tanh(float64(x))) }, math.Tanh),
		Gradient: tanhGradient,
		Interval: tanhInterval,
		Linear: func(*onnxio.Node) (*Linear, error) {
			return &Linear{Lines: tanhLines, Execution: Within(tanhUlps, tanhAbsErr, sigmoidSource)}, nil
		},
		Couple: coupleElementwise,
	})
}

// tanhMargin is the relative error that we allow math.Tanh: 4 units in the last place. Its source comments state a peak of
// 2.5e-16 (1.1 ulp) for the rational part (Cephes); TestMathIsAsGoodAsClaimed checks half the margin against big.Float.
const tanhMargin = 4 * 0x1p-52

// expMargin is the same for math.Exp, whose comments claim less than 1 ulp.
const expMargin = 4 * 0x1p-52

var tanhCurve = sCurve{curve{
	f: func(x float64) (float64, float64) {
		lo, hi := widen(math.Tanh(x), tanhMargin)
		return max(lo, -1), min(hi, 1)
	},
	// tanh' = 4e/(1+e)^2 with e = exp(-2|x|), without cancellation.
	d: func(x float64) (float64, float64) {
		e := math.Exp(-2 * math.Abs(x))
		lo, hi := widen(4*e/((1+e)*(1+e)), 3*expMargin)
		return max(lo, 0), min(hi, 1)
	},
}}

func tanhLines(_ Slope, l, u []float64, out *Lines) {
	for i := range l {
		tanhCurve.lines(i, l[i], u[i], out)
	}
}

func tanhInterval(_ *onnxio.Node, in []Box) ([]Box, error) {
	out := newBox(len(in[0].Lower))
	for i := range out.Lower {
		l, _ := tanhCurve.f(in[0].Lower[i])
		_, u := tanhCurve.f(in[0].Upper[i])
		if math.IsNaN(l) || math.IsNaN(u) {
			l, u = -1, 1
		}
		out.Lower[i], out.Upper[i] = l, u
	}
	return []Box{out}, nil
}

// tanhGradient: 1-y*y.
var tanhGradient = derivative(func(e *Emitter, _ *onnxio.Node, _, y *onnxio.Value) *onnxio.Value {
	return e.minusSquare(y)
})

// sigmoid.go — Sigmoid, opset 6, 13: y = 1 / (1 + exp(-x)).

package op

import (
	"math"

	"github.com/shallow-waters/shoal/onnxio"
)

func init() {
	Register(Def{
		Name: "Sigmoid", Since: 6,
		Shape:    sameShape,
		Eval:     elementwise(func(x float32) float32 { return float32(sigmoid(float64(x))) }, sigmoid),
		Interval: sigmoidInterval,
		Linear: func(*onnxio.Node) (*Linear, error) {
			return &Linear{Lines: sigmoidLines, Ulps: sigmoidUlps, AbsErr: sigmoidAbsErr, Source: sigmoidSource}, nil
		},
	})
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// sigmoidLines uses sigmoid(x) = 1/2 + tanh(x/2)/2: the halves and quarters are exact, the intercept's sum is rounded outward.
func sigmoidLines(_ Slope, l, u []float64, out *Lines) {
	for i := range l {
		// Halves of subnormals round; one step outward holds them.
		tanhCurve.lines(i, half(l[i], Down), half(u[i], Up), out)
		out.set(i,
			out.LoSlope[i]/4, addDown(0.5, half(out.LoIcept[i], Down)),
			out.UpSlope[i]/4, addUp(0.5, half(out.UpIcept[i], Up)))
	}
}

func half(x float64, outward func(float64) float64) float64 {
	h := x / 2
	if h*2 != x && !math.IsNaN(x) {
		h = outward(h)
	}
	return h
}

// sigmoidBounds brackets the function's value: of 1 + exp(-x) only the exponential's margin and two roundings are lost.
func sigmoidBounds(x float64) (lo, hi float64) {
	lo, hi = widen(sigmoid(x), expMargin+4*0x1p-52)
	return max(lo, 0), min(hi, 1)
}

func sigmoidInterval(_ *onnxio.Node, in []Box) ([]Box, error) {
	out := newBox(len(in[0].Lower))
	for i := range out.Lower {
		l, _ := sigmoidBounds(in[0].Lower[i])
		_, u := sigmoidBounds(in[0].Upper[i])
		if math.IsNaN(l) || math.IsNaN(u) {
			l, u = 0, 1
		}
		out.Lower[i], out.Upper[i] = l, u
	}
	return []Box{out}, nil
}

const (
	sigmoidUlps, sigmoidAbsErr = 8, 0x1p-22
	tanhUlps, tanhAbsErr       = 8, 0x1p-22
	sigmoidSource              = "scan"
)

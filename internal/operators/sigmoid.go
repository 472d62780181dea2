// sigmoid.go — Sigmoid, opset 6, 13: y = 1 / (1 + exp(-x)).

package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

var sigmoidOp = op.Def{
	Name: "Sigmoid", Since: 6, Rising: always, AnyOrder: true,
	Shape:    sameShape,
	Eval:     elementwise(func(x float32) float32 { return float32(sigmoid(float64(x))) }, sigmoid),
	Gradient: sigmoidGradient,
	Interval: sigmoidInterval,
	Linear: func(*onnxio.Node) (*op.Linear, error) {
		return &op.Linear{Lines: sigmoidLines, Family: halved{tanhCurve}, Execution: op.Within(sigmoidUlps, sigmoidAbsErr, sigmoidSource)}, nil
	},
	Couple: coupleElementwise,
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// sigmoidLines uses sigmoid(x) = 1/2 + tanh(x/2)/2: the halves and quarters are exact, the intercept's sum is rounded outward.
func sigmoidLines(_ relax.Slope, l, u []float64, out *relax.Lines) {
	for i := range l {
		// Halves of subnormals round; one step outward holds them.
		tanhCurve.Lines(i, half(l[i], sound.Down), half(u[i], sound.Up), out)
		out.Set(i,
			out.LoSlope[i]/4, sound.AddDown(0.5, half(out.LoIcept[i], sound.Down)),
			out.UpSlope[i]/4, sound.AddUp(0.5, half(out.UpIcept[i], sound.Up)))
	}
}

// halved is the family of 1/2 + f(x/2)/2: its numbers are twice those of f.
type halved struct{ f relax.Tangential }

var _ relax.Tangential = halved{}

func (h halved) Ends(l, u float64) relax.Ends {
	e := h.f.Ends(l/2, u/2)
	twice := func(c relax.Choice) relax.Choice {
		return relax.Choice{From: 2 * c.From, To: 2 * c.To, Usual: 2 * c.Usual}
	}
	return relax.Ends{Lo: twice(e.Lo), Up: twice(e.Up)}
}

func (h halved) Lower(l, u, p float64) (slope, icept float64) {
	k, c := h.f.Lower(half(l, sound.Down), half(u, sound.Up), p/2)
	return k / 4, sound.AddDown(0.5, half(c, sound.Down))
}

func (h halved) Upper(l, u, p float64) (slope, icept float64) {
	k, c := h.f.Upper(half(l, sound.Down), half(u, sound.Up), p/2)
	return k / 4, sound.AddUp(0.5, half(c, sound.Up))
}

func (h halved) Pull(upper bool, l, u, z, p float64) float64 {
	return h.f.Pull(upper, l/2, u/2, z/2, p/2)
}

func (h halved) Tangent(p float64) (slope, icept float64) {
	k, c := h.f.Tangent(p / 2)
	return k / 4, 0.5 + c/2
}

func (h halved) Value(x float64) float64       { return 0.5 + h.f.Value(x/2)/2 }
func (h halved) Steepest(l, u float64) float64 { return h.f.Steepest(l/2, u/2) }

func half(x float64, outward func(float64) float64) float64 {
	h := x / 2
	if h*2 != x && !math.IsNaN(x) {
		h = outward(h)
	}
	return h
}

// sigmoidBounds brackets the function's value: of 1 + exp(-x) only the exponential's margin and two roundings are lost. Where exp
// overflows it is under exp(-700).
func sigmoidBounds(x float64) (lo, hi float64) {
	if x < -700 {
		return 0, 1e-304
	}
	lo, hi = relax.Widen(sigmoid(x), expMargin+4*0x1p-52)
	return max(lo, 0), min(hi, 1)
}

func sigmoidInterval(_ *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
	out := relax.NewBox(len(in[0].Lower))
	for i := range out.Lower {
		l, _ := sigmoidBounds(in[0].Lower[i])
		_, u := sigmoidBounds(in[0].Upper[i])
		if math.IsNaN(l) || math.IsNaN(u) {
			l, u = 0, 1
		}
		out.Lower[i], out.Upper[i] = l, u
	}
	return []relax.Box{out}, nil
}

// What float32 executions of Sigmoid and Tanh may be off, beyond the exact function of their float32 input.
//
// onnxruntime's CPU kernels are rational approximations (MLAS) whose error is absolute, not relative: sigmoid(-17.6) comes out
// with no correct digit. Scanned on onnxruntime 1.32.0 (CPU, AVX-512) against float64, every float32 with 2^-30 <= |x| < 2^6,
// 603,979,776 values: Sigmoid is off by at most 1.78e-7 (under 2^-22 = 2.38e-7), Tanh by at most 3.26e-7 (under
// 2^-21 = 4.77e-7). Below 2^-30 every 37th value was scanned, with errors under 1e-9. The units in the last place are room for other versions and
// processors, and for libraries that are accurate in the relative sense (CUDA documents 2 ulp for tanhf and expf).
const (
	sigmoidUlps   = 4
	sigmoidAbsErr = 0x1p-22
	tanhUlps      = 4
	tanhAbsErr    = 0x1p-21
	sigmoidSource = "scan of onnxruntime 1.32.0 (CPU), every float32 in 2^-30 <= |x| < 2^6, with room"
)

// sigmoidGradient: y*(1-y).
var sigmoidGradient = derivative(func(e *op.Emitter, _ *onnxio.Node, _, y *onnxio.Value) *onnxio.Value {
	return e.Mul(y, e.Sub(e.Scalar(y, 1), y))
})

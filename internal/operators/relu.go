// relu.go — Relu, opset 6, 13, 14: y = max(x, 0).

package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

var reluOp = op.Def{
	Name: "Relu", Since: 6, Rising: always, Zero: op.ZeroKept, AnyOrder: true,
	Shape:    sameShape,
	Eval:     elementwise(func(x float32) float32 { return max(x, 0) }, func(x float64) float64 { return max(x, 0) }),
	Gradient: reluGradient,
	Interval: monotone(func(x float64) float64 { return max(x, 0) }, 0),
	Linear:   reluLinear,
	Couple:   coupleElementwise,
}

// tie settles bounds that are symmetric but for rounding (l = -u is common in networks that compute maxima): they take slope 0,
// whichever way the last bits fell.
const tie = 1 + 1e-9

func reluLinear(*onnxio.Node) (*op.Linear, error) {
	return &op.Linear{Lines: reluLines, Kink: true, Execution: op.Within(0, 0, "exact")}, nil
}

// reluLines bounds max(x, 0) between two lines on [l, u] for every neuron.
//
// Unstable neurons (l < 0 < u) take the upper line through (l, 0) and (u, u), its slope rounded as it comes and its intercept
// rounded up until the line is above both corners, and the lower line alpha*x with alpha in [0, 1].
// Source: Zhang et al. 2018 (CROWN), table 2; Singh et al. 2019 (DeepPoly), section 4.2; Wong and Kolter 2018 for the
// parallel slope.
func reluLines(s relax.Slope, l, u []float64, out *relax.Lines) {
	for i, lo := range l {
		hi := u[i]
		switch {
		case lo >= 0:
			out.LoSlope[i], out.LoIcept[i], out.UpSlope[i], out.UpIcept[i] = 1, 0, 1, 0
		case hi <= 0:
			out.LoSlope[i], out.LoIcept[i], out.UpSlope[i], out.UpIcept[i] = 0, 0, 0, 0
		case math.IsInf(hi-lo, 0) || math.IsNaN(hi-lo):
			out.LoSlope[i], out.LoIcept[i], out.UpSlope[i], out.UpIcept[i] = 0, 0, 0, hi
		default:
			k := hi / (hi - lo)
			// The line k*x + c lies above max(x,0) on [l,u] if it does at both ends: c >= -k*l and c >= u - k*u.
			c := max(sound.Up(-k*lo), sound.Up(hi-sound.Down(k*hi)))
			out.UpSlope[i], out.UpIcept[i] = k, c
			out.LoIcept[i] = 0
			switch {
			case s == relax.SlopeParallel:
				out.LoSlope[i] = k
			case hi > -lo*tie:
				out.LoSlope[i] = 1
			default:
				out.LoSlope[i] = 0
			}
		}
	}
}

// reluGradient passes dy where y > 0: the derivative at 0 is taken as 0.
func reluGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	return onlyFirst(e.KeepWhere(e.GreaterC(n.Outputs[0], 0), dy[0]))
}

// exp.go — Exp, opset 6, 13: y = exp(x).

package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

var expOp = op.Def{
	Name: "Exp", Since: 6, AnyOrder: true,
	Shape: sameShape, Eval: float64Only(math.Exp),
	Gradient: expGradient,
	Interval: elementInterval(rising(expBounds)),
	Linear:   chosen(expLines, relax.Bent{Curve: expCurve, Bend: relax.Convex, Usual: expTouch}, 2, "scan of onnxruntime 1.32.0 (CPU), every 37th float32: at most 0.86 ulp; CUDA documents 2"),
	Couple:   coupleElementwise,
}

// expBounds brackets exp(x) with expMargin; it is positive.
func expBounds(x float64) (lo, hi float64) {
	e := math.Exp(x)
	if math.IsInf(e, 1) && !math.IsInf(x, 1) {
		return math.MaxFloat64, e
	}
	lo, hi = relax.Widen(e, expMargin)
	return max(lo, 0), hi
}

var expCurve = relax.Curve{F: expBounds, D: expBounds}

// expTouch is where the tangent below touches: in the middle, but not further than 0.99 right of l: further on the line would be negative at l, where
// the function is not (as in auto_LiRPA).
func expTouch(l, u float64) float64 { return min(l+(u-l)/2, l+0.99) }

// expLines has the chord above and a tangent below.
func expLines(_ relax.Slope, l, u []float64, out *relax.Lines) {
	for i := range l {
		if sound.Finite(u[i] - l[i]) {
			out.TangentAt(i, expCurve, relax.Convex, expTouch(l[i], u[i]), l[i], u[i])
		} else {
			out.Set(i, 0, math.NaN(), 0, math.NaN())
		}
		lo, _ := expBounds(l[i])
		_, hi := expBounds(u[i])
		if math.IsNaN(lo) {
			lo = 0
		}
		if math.IsNaN(hi) {
			hi = math.Inf(1)
		}
		out.Tidy(i, lo, hi)
	}
}

// expGradient: y.
var expGradient = derivative(func(e *op.Emitter, _ *onnxio.Node, _, y *onnxio.Value) *onnxio.Value {
	return y
})

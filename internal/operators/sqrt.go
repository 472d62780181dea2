// sqrt.go — Sqrt, opset 6, 13: y = sqrt(x), not a number below 0.

package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

var sqrtOp = op.Def{
	Name: "Sqrt", Since: 6, AnyOrder: true,
	Shape: sameShape, Eval: float64Only(math.Sqrt),
	Gradient: sqrtGradient,
	Interval: elementInterval(sqrtRange),
	Linear:   lines(sqrtLines, 1, "IEEE 754 square root"),
	Couple:   coupleElementwise,
}

// sqrtBounds brackets the correctly rounded square root.
func sqrtBounds(x float64) (lo, hi float64) {
	r := math.Sqrt(x)
	return max(sound.Down(r), 0), sound.Up(r)
}

// sqrtRange knows nothing of a box that reaches below 0.
func sqrtRange(l, u float64) (lo, hi float64) {
	if !(l >= 0) {
		return math.Inf(-1), math.Inf(1)
	}
	return rising(sqrtBounds)(l, u)
}

func sqrtLines(_ relax.Slope, l, u []float64, out *relax.Lines) {
	c := relax.Curve{F: sqrtBounds, D: func(x float64) (float64, float64) { return relax.Widen(0.5/math.Sqrt(x), 4*0x1p-52) }}
	for i := range l {
		lo, hi := sqrtRange(l[i], u[i])
		if l[i] >= 0 && u[i] > 0 && sound.Finite(u[i]) {
			out.Curve(i, c, relax.Concave, l[i], u[i])
			out.Tidy(i, lo, hi)
		} else {
			out.Flat(i, lo, hi)
		}
	}
}

// sqrtGradient: 1/(2y).
var sqrtGradient = derivative(func(e *op.Emitter, _ *onnxio.Node, _, y *onnxio.Value) *onnxio.Value {
	return e.Div(e.Scalar(y, 0.5), y)
})

// sqrt.go — Sqrt, opset 6, 13: y = sqrt(x), not a number below 0.

package op

import (
	"math"

	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

func init() {
	Register(Def{
		Name: "Sqrt", Since: 6, AnyOrder: true,
		Shape: sameShape, Eval: float64Only(math.Sqrt),
		Gradient: sqrtGradient,
		Interval: elementInterval(sqrtRange),
		Linear:   lines(sqrtLines, 1, "IEEE 754 square root"),
		Couple:   coupleElementwise,
	})
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

func sqrtLines(_ Slope, l, u []float64, out *Lines) {
	c := curve{sqrtBounds, func(x float64) (float64, float64) { return widen(0.5/math.Sqrt(x), 4*0x1p-52) }}
	for i := range l {
		lo, hi := sqrtRange(l[i], u[i])
		if l[i] >= 0 && u[i] > 0 && finite(u[i]) {
			out.curve(i, c, concave, l[i], u[i])
			out.tidy(i, lo, hi)
		} else {
			out.flat(i, lo, hi)
		}
	}
}

// sqrtGradient: 1/(2y).
var sqrtGradient = derivative(func(e *Emitter, _ *onnxio.Node, _, y *onnxio.Value) *onnxio.Value {
	return e.Div(e.Scalar(y, 0.5), y)
})

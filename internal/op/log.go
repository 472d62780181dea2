// log.go — Log, opset 6, 13: y = ln(x).

package op

import (
	"math"

	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

func init() {
	Register(Def{
		Name: "Log", Since: 6, AnyOrder: true,
		Shape: sameShape, Eval: float64Only(math.Log),
		Gradient: logGradient,
		Interval: elementInterval(logRange),
		Linear:   lines(logLines, 4, "scan of onnxruntime 1.32.0 (CPU), every 37th float32: at most 3.1 ulp"),
		Couple:   coupleElementwise,
	})
}

// logBounds brackets ln(x) for x > 0: math.Log claims less than 1 ulp, and we allow 4.
func logBounds(x float64) (lo, hi float64) { return widen(math.Log(x), 4*0x1p-52) }

func logRange(l, u float64) (lo, hi float64) {
	if !(l > 0) {
		return math.Inf(-1), math.Inf(1)
	}
	return rising(logBounds)(l, u)
}

func logLines(_ Slope, l, u []float64, out *Lines) {
	c := curve{logBounds, func(x float64) (float64, float64) { return sound.Down(1 / x), sound.Up(1 / x) }}
	for i := range l {
		lo, hi := logRange(l[i], u[i])
		if l[i] > 0 && finite(u[i]) {
			out.curve(i, c, concave, l[i], u[i])
			out.tidy(i, lo, hi)
		} else {
			out.flat(i, lo, hi)
		}
	}
}

// logGradient: 1/x.
var logGradient = derivative(func(e *Emitter, _ *onnxio.Node, x, _ *onnxio.Value) *onnxio.Value {
	return e.Op("Reciprocal", nil, x)
})

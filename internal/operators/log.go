// log.go — Log, opset 6, 13: y = ln(x).

package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

var logOp = op.Def{
	Name: "Log", Since: 6, AnyOrder: true,
	Shape: sameShape, Eval: float64Only(math.Log),
	Gradient: logGradient,
	Interval: elementInterval(logRange),
	Linear:   lines(logLines, 4, "scan of onnxruntime 1.32.0 (CPU), every 37th float32: at most 3.1 ulp"),
	Couple:   coupleElementwise,
}

// logBounds brackets ln(x) for x > 0: math.Log claims less than 1 ulp, and we allow 4.
func logBounds(x float64) (lo, hi float64) { return relax.Widen(math.Log(x), 4*0x1p-52) }

func logRange(l, u float64) (lo, hi float64) {
	if !(l > 0) {
		return math.Inf(-1), math.Inf(1)
	}
	return rising(logBounds)(l, u)
}

func logLines(_ relax.Slope, l, u []float64, out *relax.Lines) {
	c := relax.Curve{F: logBounds, D: func(x float64) (float64, float64) { return sound.Down(1 / x), sound.Up(1 / x) }}
	for i := range l {
		lo, hi := logRange(l[i], u[i])
		if l[i] > 0 && sound.Finite(u[i]) {
			out.Curve(i, c, relax.Concave, l[i], u[i])
			out.Tidy(i, lo, hi)
		} else {
			out.Flat(i, lo, hi)
		}
	}
}

// logGradient: 1/x.
var logGradient = derivative(func(e *op.Emitter, _ *onnxio.Node, x, _ *onnxio.Value) *onnxio.Value {
	return e.Op("Reciprocal", nil, x)
})

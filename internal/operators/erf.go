// erf.go — Erf, opset 9, 13: y = erf(x).

package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

var erfOp = op.Def{
	Name: "Erf", Since: 9, AnyOrder: true,
	Shape: sameShape, Eval: float64Only(math.Erf),
	Gradient: erfGradient,
	Interval: elementInterval(rising(erfCurve.F)),
	Linear:   chosen(erfLines, erfCurve, 4, "scan of onnxruntime 1.32.0 (CPU), every 1480th float32: at most 0.92 ulp; CUDA documents 2"),
	Couple:   coupleElementwise,
}

// erfCurve allows math.Erf 4 ulp (its comments claim less than 1). Its derivative is 2/sqrt(pi)*exp(-x*x), where the rounded
// square costs up to x*x units of relative error more.
var erfCurve = relax.NewSCurve(relax.Curve{
	F: func(x float64) (float64, float64) {
		lo, hi := relax.Widen(math.Erf(x), 4*0x1p-52)
		return max(lo, -1), min(hi, 1)
	},
	D: func(x float64) (float64, float64) {
		x = min(math.Abs(x), 40)
		lo, hi := relax.Widen(2/math.SqrtPi*math.Exp(-x*x), (8+x*x)*0x1p-52)
		return max(lo, 0), hi
	},
}, func(x float64) (y, slope float64) { return math.Erf(x), 2 / math.SqrtPi * math.Exp(-x*x) })

func erfLines(_ relax.Slope, l, u []float64, out *relax.Lines) {
	for i := range l {
		erfCurve.Lines(i, l[i], u[i], out)
	}
}

// erfGradient: 2/sqrt(pi) exp(-x*x).
var erfGradient = derivative(func(e *op.Emitter, _ *onnxio.Node, x, _ *onnxio.Value) *onnxio.Value {
	return e.MulC(e.Op("Exp", nil, e.Neg(e.Mul(x, x))), 2/math.Sqrt(math.Pi))
})

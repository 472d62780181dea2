// atanh.go — Atanh, opset 9, 22: y = ln((1+x)/(1-x)) / 2, not a number beyond [-1, 1].

package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

var atanhOp = op.Def{
	Name: "Atanh", Since: 9, AnyOrder: true,
	Shape: sameShape, Eval: float64Only(math.Atanh),
	Gradient: atanhGradient,
	Interval: elementInterval(atanhRange),
	Linear: lines(relax.NewPieced(0, relax.Steepening(atanhCurve)...).Lines(atanhRange), 4,
		"scan of onnxruntime 1.32.0 (CPU), every 1499th float32: at most 1.0 ulp; CUDA documents 3"),
	Couple: coupleElementwise,
}

// atanhCurve: atanh' = 1/((1-x)*(1+x)).
var atanhCurve = relax.Curve{
	F: func(x float64) (float64, float64) { return relax.Widen(math.Atanh(x), asinhMargin) },
	D: func(x float64) (float64, float64) { return relax.Widen(1/((1-x)*(1+x)), 8*0x1p-52) },
}

// atanhRange knows nothing of a box that reaches 1 or -1.
func atanhRange(l, u float64) (lo, hi float64) {
	if !(l > -1 && u < 1) {
		return math.Inf(-1), math.Inf(1)
	}
	return rising(atanhCurve.F)(l, u)
}

// atanhGradient: 1/(1-x*x).
var atanhGradient = derivative(func(e *op.Emitter, _ *onnxio.Node, x, _ *onnxio.Value) *onnxio.Value {
	return e.Op("Reciprocal", nil, e.MinusSquare(x))
})

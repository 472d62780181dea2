// acos.go — Acos, opset 7, 22: y = arccos(x), not a number beyond [-1, 1].

package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

var acosOp = op.Def{
	Name: "Acos", Since: 7, AnyOrder: true,
	Shape: sameShape, Eval: float64Only(acos),
	Gradient: acosGradient,
	Interval: elementInterval(acosRange),
	Linear: lines(relax.NewPieced(0, relax.Wave(acosCurve)...).Lines(acosRange), 8,
		"scan of onnxruntime 1.32.0 (CPU), every 1499th float32: at most 2.2 ulp; CUDA documents 2"),
	Couple: coupleElementwise,
}

// acos is 2*atan(sqrt((1-x)/(1+x))), without cancellation: four roundings, which atan does not enlarge.
func acos(x float64) float64 { return 2 * math.Atan(math.Sqrt((1-x)/(1+x))) }

// acosCurve falls; it is convex below 0 and concave above.
var acosCurve = relax.Curve{
	F: func(x float64) (float64, float64) {
		lo, hi := relax.Widen(acos(x), atanMargin+8*0x1p-52)
		return max(lo, 0), hi
	},
	D: func(x float64) (float64, float64) { lo, hi := slopeOfAsin(x); return -hi, -lo },
}

// acosRange knows nothing of a box that reaches beyond [-1, 1].
func acosRange(l, u float64) (lo, hi float64) {
	if !(l >= -1 && u <= 1) {
		return math.Inf(-1), math.Inf(1)
	}
	return rising(acosCurve.F)(u, l)
}

// acosGradient: -1/sqrt(1-x*x).
var acosGradient = derivative(func(e *op.Emitter, _ *onnxio.Node, x, _ *onnxio.Value) *onnxio.Value {
	return e.Neg(e.InverseRoot(e.MinusSquare(x)))
})

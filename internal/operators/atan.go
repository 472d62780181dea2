// atan.go — Atan, opset 7, 22: y = arctan(x).

package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

var atanOp = op.Def{
	Name: "Atan", Since: 7, AnyOrder: true,
	Shape: sameShape, Eval: float64Only(math.Atan),
	Gradient: atanGradient,
	Interval: elementInterval(rising(atanBounds)),
	Linear: lines(relax.NewPieced(0, relax.Wave(atanCurve)...).Lines(rising(atanBounds)), 4,
		"scan of onnxruntime 1.32.0 (CPU), every 1499th float32: at most 2.0 ulp; CUDA documents 2"),
	Couple: coupleElementwise,
}

// atanMargin is the relative error that we allow math.Atan (Cephes: its comments state a peak of 1.8e-16).
const atanMargin = 8 * 0x1p-52

func atanBounds(x float64) (lo, hi float64) { return relax.Widen(math.Atan(x), atanMargin) }

// atanCurve: atan' = 1/(1 + x*x), where a square over 1e300 is as good as none.
var atanCurve = relax.Curve{F: atanBounds, D: func(x float64) (float64, float64) {
	if math.Abs(x) > 1e150 {
		return 0, 1e-299
	}
	return relax.Widen(1/(1+x*x), 8*0x1p-52)
}}

// atanGradient: 1/(1+x*x).
var atanGradient = derivative(func(e *op.Emitter, _ *onnxio.Node, x, _ *onnxio.Value) *onnxio.Value {
	return e.Op("Reciprocal", nil, e.AddC(e.Mul(x, x), 1))
})

// asin.go — Asin, opset 7, 22: y = arcsin(x), not a number beyond [-1, 1].

package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

var asinOp = op.Def{
	Name: "Asin", Since: 7, AnyOrder: true,
	Shape: sameShape, Eval: float64Only(asin),
	Gradient: asinGradient,
	Interval: elementInterval(asinRange),
	Linear: lines(relax.NewPieced(0, relax.Steepening(asinCurve)...).Lines(asinRange), 8,
		"scan of onnxruntime 1.32.0 (CPU), every 1499th float32: at most 3.8 ulp; CUDA documents 4"),
	Couple: coupleElementwise,
}

// asin is atan(x / sqrt(1 - x*x)), with the square root's argument as a product so that nothing cancels: four roundings, which atan does
// not enlarge. math.Asin is off by 1e-13 near 1.
func asin(x float64) float64 { return math.Atan(x / math.Sqrt((1-x)*(1+x))) }

// asinCurve: asin' = 1/sqrt(1 - x*x), infinite at the ends.
var asinCurve = relax.Curve{
	F: func(x float64) (float64, float64) { return relax.Widen(asin(x), atanMargin+8*0x1p-52) },
	D: func(x float64) (float64, float64) { return slopeOfAsin(x) },
}

func slopeOfAsin(x float64) (lo, hi float64) {
	d := 1 / math.Sqrt((1-x)*(1+x))
	if !sound.Finite(d) {
		return math.MaxFloat64, math.Inf(1)
	}
	return relax.Widen(d, 8*0x1p-52)
}

// asinRange knows nothing of a box that reaches beyond [-1, 1].
func asinRange(l, u float64) (lo, hi float64) {
	if !(l >= -1 && u <= 1) {
		return math.Inf(-1), math.Inf(1)
	}
	return rising(asinCurve.F)(l, u)
}

// asinGradient: 1/sqrt(1-x*x).
var asinGradient = derivative(func(e *op.Emitter, _ *onnxio.Node, x, _ *onnxio.Value) *onnxio.Value {
	return e.InverseRoot(e.MinusSquare(x))
})

// cos.go — Cos, opset 7, 22: y = cos(x).

package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

var cosOp = op.Def{
	Name: "Cos", Since: 7, AnyOrder: true,
	Shape: sameShape, Eval: float64Only(math.Cos),
	Gradient: cosGradient,
	Interval: elementInterval(cosRange),
	Linear:   lines(relax.NewOscillation(math.Cos, minusSin, 0.5, true, cosRange).Lines, 4, waveSource),
	Couple:   coupleElementwise,
}

func cosRange(l, u float64) (lo, hi float64) { return waveRange(math.Cos, -math.Pi, l, u) }

// minusSin is the derivative.
func minusSin(x float64) float64 { return -math.Sin(x) }

// cosGradient: -sin x.
var cosGradient = derivative(func(e *op.Emitter, _ *onnxio.Node, x, _ *onnxio.Value) *onnxio.Value {
	return e.Neg(e.Op("Sin", nil, x))
})

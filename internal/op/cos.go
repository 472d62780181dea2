// cos.go — Cos, opset 7, 22: y = cos(x).

package op

import (
	"math"

	"github.com/shallow-waters/shoal/onnxio"
)

func init() {
	Register(Def{
		Name: "Cos", Since: 7, AnyOrder: true,
		Shape: sameShape, Eval: float64Only(math.Cos),
		Gradient: cosGradient,
		Interval: elementInterval(cosRange),
		Linear:   lines(newOscillation(math.Cos, minusSin, 0.5, true, cosRange).lines, 4, waveSource),
		Couple:   coupleElementwise,
	})
}

func cosRange(l, u float64) (lo, hi float64) { return waveRange(math.Cos, -math.Pi, l, u) }

// minusSin is the derivative.
func minusSin(x float64) float64 { return -math.Sin(x) }

// cosGradient: -sin x.
var cosGradient = derivative(func(e *Emitter, _ *onnxio.Node, x, _ *onnxio.Value) *onnxio.Value {
	return e.Neg(e.Op("Sin", nil, x))
})

// sin.go — Sin, opset 7, 22: y = sin(x).

package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

var sinOp = op.Def{
	Name: "Sin", Since: 7, AnyOrder: true,
	Shape: sameShape, Eval: float64Only(math.Sin),
	Gradient: sinGradient,
	Interval: elementInterval(sinRange),
	Linear:   lines(relax.NewOscillation(math.Sin, math.Cos, 0, false, sinRange).Lines, 4, waveSource),
	Couple:   coupleElementwise,
}

const waveSource = "scan of onnxruntime 1.32.0 (CPU), every 37th float32 with |x| < 1e4: at most 2.5 ulp"

func sinRange(l, u float64) (lo, hi float64) { return waveRange(math.Sin, -math.Pi/2, l, u) }

// waveRange bounds a wave of period 2*pi that has its minimum at `low` and its maximum half a period later: the ends'
// values, and -1 or 1 where an extremum may lie inside. Far from 0 nothing is claimed but [-1, 1].
func waveRange(f func(float64) float64, low, l, u float64) (lo, hi float64) {
	if !(math.Abs(l) < relax.WaveLimit && math.Abs(u) < relax.WaveLimit) || u-l >= 2*math.Pi {
		return -1, 1
	}
	a, b := f(l), f(u)
	lo, hi = max(min(a, b)-relax.WaveMargin, -1), min(max(a, b)+relax.WaveMargin, 1)
	// Periods since the extremum, with room for the rounding of the quotient: below WaveLimit it is far under 1e-10.
	crosses := func(at float64) bool {
		return math.Floor((u-at)/(2*math.Pi)+1e-10) > math.Floor((l-at)/(2*math.Pi)-1e-10)
	}
	if crosses(low) {
		lo = -1
	}
	if crosses(low + math.Pi) {
		hi = 1
	}
	return lo, hi
}

// sinGradient: cos x.
var sinGradient = derivative(func(e *op.Emitter, _ *onnxio.Node, x, _ *onnxio.Value) *onnxio.Value {
	return e.Op("Cos", nil, x)
})

package operators

import (
	"math/big"
	"testing"

	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

// TestRunningSumsAndReversalsAreMaps compares the maps of CumSum and ReverseSequence with Eval.
func TestRunningSumsAndReversalsAreMaps(t *testing.T) {
	for _, exclusive := range []int64{0, 1} {
		for _, reverse := range []int64{0, 1} {
			for axis := range int64(3) {
				checkAffine(t, node(t, "CumSum", 14, onnxio.Attrs{"exclusive": exclusive, "reverse": reverse}, variable(2, 3, 4), ints(axis)))
			}
		}
	}
	checkAffine(t, node(t, "ReverseSequence", 10, nil, variable(4, 2, 3), ints(3, 1)))
	checkAffine(t, node(t, "ReverseSequence", 10, onnxio.Attrs{"batch_axis": int64(0), "time_axis": int64(1)}, variable(2, 4), ints(4, 0)))
}

// TestShrinkBoundsHold: lines and boxes of both pieces, of the gap between them and over the jumps.
func TestShrinkBoundsHold(t *testing.T) {
	for _, c := range []struct{ bias, lambd float32 }{{0, 0.5}, {0.5, 0.5}, {1.5, 1}, {-0.3, 0.2}, {0, 0}} {
		n := node(t, "Shrink", 9, onnxio.Attrs{"bias": c.bias, "lambd": c.lambd}, variable(1))
		truth := func(x float64) *big.Float {
			y := bigFloat(x)
			switch {
			case x < -float64(c.lambd):
				return y.Add(y, bigFloat(float64(c.bias)))
			case x > float64(c.lambd):
				return y.Sub(y, bigFloat(float64(c.bias)))
			}
			return bigFloat(0)
		}
		inside := []float64{float64(c.lambd), -float64(c.lambd), sound.Up(float64(c.lambd)), sound.Down(-float64(c.lambd))}
		checkLines(t, "shrink", linesOf(t, n), truth, someIntervals(), inside...)
		checkBox(t, "shrink", n, truth, someIntervals())
	}
}

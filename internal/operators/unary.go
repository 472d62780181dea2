package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

// float64Only evaluates in float64 also for float32 data.
func float64Only(f func(float64) float64) func(*op.Call) error {
	return elementwise(func(x float32) float32 { return float32(f(float64(x))) }, f)
}

// elementInterval is the Interval face of an elementwise function given by bounds of its range on an interval.
func elementInterval(f func(l, u float64) (lo, hi float64)) func(*onnxio.Node, []relax.Box) ([]relax.Box, error) {
	return func(_ *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
		out := relax.NewBox(len(in[0].Lower))
		for i := range out.Lower {
			lo, hi := f(in[0].Lower[i], in[0].Upper[i])
			if math.IsNaN(lo) {
				lo = math.Inf(-1)
			}
			if math.IsNaN(hi) {
				hi = math.Inf(1)
			}
			out.Lower[i], out.Upper[i] = lo, hi
		}
		return []relax.Box{out}, nil
	}
}

// rising is the range of a nondecreasing function given by brackets.
func rising(f func(float64) (float64, float64)) func(l, u float64) (lo, hi float64) {
	return func(l, u float64) (float64, float64) {
		lo, _ := f(l)
		_, hi := f(u)
		return lo, hi
	}
}

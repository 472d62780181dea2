package verify

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// TestSumsOfAnImageAndAFlatValueAreBounded: an image of one channel and a flat value store their elements alike, but a window of rows over
// the one is no window over the other. Rows of a convolution behind such a sum once lost coefficients, or panicked.
func TestSumsOfAnImageAndAFlatValueAreBounded(t *testing.T) {
	for seed := range uint64(12) {
		rng := rand.New(rand.NewPCG(seed, 3))
		b, x := newBuilder(rng, 1, 1, 3, 3)
		image := b.node("Conv", onnxio.Attrs{"kernel_shape": []int64{3, 3}, "pads": []int64{1, 1, 1, 1}}, x, b.weights(0.5, 1, 1, 3, 3))
		flat := b.node("Reshape", nil, b.dense(b.node("Flatten", nil, x), 9, 9), fixedInts(1, 1, 3, 3))
		if seed%3 == 2 { // as a product with constants
			flat = b.node("Mul", nil, flat, b.weights(1, 1, 1, 3, 3))
		}
		sum := b.node("Add", nil, image, flat)
		if seed%2 == 1 {
			sum = b.node("Sub", nil, flat, image)
		}
		y := b.node("Conv", onnxio.Attrs{"kernel_shape": []int64{2, 2}}, b.node("Relu", nil, sum), b.weights(1, 2, 1, 2, 2))
		y = b.node("Flatten", nil, b.node("Relu", nil, y))
		b.g.Outputs = []*onnxio.Value{b.dense(y, 8, 2)}
		box := inFloat32(randomBox(rng, 9))
		p := newPrey(t, runner(t, b.g, true), box, [][]float64{{1, 0}, {-1, 0}, {1, -1}})
		for _, x := range samplePoints(rng, box, 60) {
			p.try(x, -1)
		}
		p.search(rng, 60)
		for _, m := range []Method{Interval, Symbolic, FastLin, FastLinPlain, DeepPoly, Alpha} {
			v := openGraph(t, b.g, Options{Method: m, Plain: true, Threads: 1})
			res, err := v.Bounds(context.Background(), box, p.rows, true)
			if err != nil {
				t.Fatal(err)
			}
			for r, low := range res.Lower {
				if p.least[r] < low {
					t.Errorf("seed %d %s: row %d is %.17g at %v, bound %.17g", seed, m, r, p.least[r], p.at[r], low)
				}
			}
		}
	}
}

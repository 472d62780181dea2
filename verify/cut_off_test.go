package verify

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify/internal/bound"
	"github.com/shallow-waters/shoal/verify/internal/search"
)

// TestASearchThatIsCutOffProvesNothing: y = relu(x_0) + relu(x_1) reaches 0, and so nothing proves that it lies above. Levels end after some
// microseconds and the search at each of its steps in turn: while the whole box is bounded, when a point is asked about, or at a random time.
func TestASearchThatIsCutOffProvesNothing(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(15, 20))
	b, x := newBuilder(rng, 1, 2)
	w := b.weights(1, 2, 1)
	w.Const = onnxio.FromFloat32([]float32{1, 1}, 2, 1)
	b.g.Outputs = []*onnxio.Value{b.node("MatMul", nil, b.node("Relu", nil, x), w)}
	v := openGraph(t, b.g, Options{Threads: 1})
	goal := search.Goal{Box: bound.Box{Lower: []float64{-1, -1}, Upper: []float64{1, 1}},
		Cases: []search.Case{{Rows: [][]float64{{1}}, Bound: []float64{0}, Strict: []bool{false}}}}
	steps := 0
	for at := range 600 {
		ctx, cancel := context.WithCancel(context.Background())
		left := 1 + at/2%30 // the first step is made by every search that has the time
		step := func() {
			if left--; left == 0 {
				steps++
				cancel()
			}
		}
		s := search.Settings{Threads: 1, First: time.Duration(1000 << rng.IntN(10)), Rows: true, End: func(search.End) { step() }}
		goal.Try = func(context.Context, []float64) (bool, []float64, error) {
			step()
			return false, nil, nil
		}
		wait := time.Minute
		if at%2 == 0 {
			wait = time.Duration(rng.IntN(3_000_000))
		}
		stop := time.AfterFunc(wait, cancel)
		out, err := search.Neurons(ctx, v.net, bound.Options{Threads: 1}, goal, s)
		stop.Stop()
		cancel()
		if err == nil && out.Proven {
			t.Fatalf("run %d: what does not hold is proven by a search that was cut off: %+v", at, out)
		}
	}
	if steps < 10 {
		t.Errorf("%d runs were cut off at one of their steps: the test shows little", steps)
	}
}

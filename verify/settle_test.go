package verify

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify/internal/bound"
	"github.com/shallow-waters/shoal/verify/internal/record"
	"github.com/shallow-waters/shoal/verify/internal/search"
)

// settledWork is how many parts may stay open before a search of TestSettledPartsHold ends without a verdict. It bounds work and not time: what is
// done in a second says nothing on a machine that others use too.
const settledWork = 4000

// bentCase draws a network of two layers, each of one of the bends, a box, and a case with bounds that are to be set: least is the least value of its
// largest row on a grid, rounded up.
func bentCase(t *testing.T, rng *rand.Rand, bends ...string) (v *Verifier, box bound.Box, c search.Case, least float64) {
	b, x := newBuilder(rng, 1, 3)
	y, w := x, 3
	for range 2 {
		y, w = b.node(bends[rng.IntN(len(bends))], nil, b.dense(y, w, 24)), 24
	}
	b.g.Outputs = append(b.g.Outputs, b.dense(y, w, 3))
	box = bound.Box{Lower: []float64{-1, -1, -1}, Upper: []float64{1, 1, 1}}
	v, c, least = bent(t, rng, b.g, box, []int{0, 1, 2})
	return v, box, c, least
}

// bentImage is bentCase of two convolutions over an image of which three pixels vary.
func bentImage(t *testing.T, rng *rand.Rand, bends ...string) (v *Verifier, box bound.Box, c search.Case, least float64) {
	const side, channels = 10, 8
	b, y := newBuilder(rng, 1, 2, side, side)
	in, w := 2, side
	for layer := range 2 {
		stride := 1 + layer
		y = b.node("Conv", onnxio.Attrs{"kernel_shape": []int64{3, 3}, "pads": []int64{1, 1, 1, 1}, "strides": []int64{int64(stride), int64(stride)}},
			y, b.weights(1.3/math.Sqrt(float64(9*in)), channels, in, 3, 3), b.weights(0.2, channels))
		y, in, w = b.node(bends[rng.IntN(len(bends))], nil, y), channels, w/stride
	}
	b.g.Outputs = append(b.g.Outputs, b.dense(b.node("Flatten", onnxio.Attrs{"axis": int64(1)}, y), in*w*w, 3))
	n := 2 * side * side
	box = bound.Box{Lower: make([]float64, n), Upper: make([]float64, n)}
	for i := range n {
		box.Lower[i] = rng.NormFloat64()
		box.Upper[i] = box.Lower[i]
	}
	at := side*(3+rng.IntN(3)) + 3 + rng.IntN(3)
	free := []int{at, at + 1, at + side*side} // beside each other, and behind
	for _, i := range free {
		box.Lower[i], box.Upper[i] = -3, 3
	}
	v, c, least = bent(t, rng, b.g, box, free)
	return v, box, c, least
}

// bent asks a case of a network over a box of which some inputs vary.
func bent(t *testing.T, rng *rand.Rand, g *onnxio.Graph, box bound.Box, free []int) (v *Verifier, c search.Case, least float64) {
	v = openGraph(t, g, Options{Method: DeepPoly, Threads: 1})
	for range 1 + rng.IntN(2) { // a conjunction is met where all rows are at most their bounds
		row := []float64{rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()}
		c.Rows, c.Bound, c.Strict = append(c.Rows, row), append(c.Bound, 0), append(c.Strict, false)
	}
	steps := 15
	if len(box.Lower) > 3 {
		steps = 7
	}
	var grid [][]float64
	for i := range steps * steps * steps {
		x := slices.Clone(box.Lower)
		for _, k := range free {
			x[k] += (box.Upper[k] - box.Lower[k]) * float64(i%steps) / float64(steps-1)
			i /= steps
		}
		grid = append(grid, x)
	}
	least = math.Inf(1)
	for _, p := range onPoints(t, v, grid) {
		worst := math.Inf(-1)
		for _, row := range c.Rows {
			worst = max(worst, p.row(row))
		}
		least = min(least, worst)
	}
	return v, c, least
}

// TestSettledPartsHold halves boxes of random networks of ReLUs, and has parts settled by sides of hinges from the first batch on: limits stand a
// little above or below the least value on a grid, so that a part that is dropped without a proof shows. The same is asked of a search that settles
// nothing. SHOAL_SETTLED=N draws N networks.
func TestSettledPartsHold(t *testing.T) {
	t.Parallel()
	settled, proven, refuted := 0, 0, 0
	nets := draws(t, "SHOAL_SETTLED", 60, 12)
	for seed := range uint64(nets) {
		rng := rand.New(rand.NewPCG(seed, 83))
		v, box, c, least := bentCase(t, rng, "Relu")
		for k := range c.Bound {
			c.Bound[k] = least - []float64{0.03, 0.05, 0.1, -0.02}[seed%4]
		}
		ask := func(halved int, tape *record.Tape) search.Outcome {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			open := 0
			try := func(context.Context, []float64) (bool, []float64, error) { // asked of parts that stay open, by one goroutine at a time
				if open++; open == settledWork {
					cancel()
				}
				return false, nil, nil
			}
			out, err := search.Inputs(ctx, v.net, bound.DeepPoly, bound.Options{}, search.Goal{Box: box, Cases: []search.Case{c}, Try: try},
				search.Settings{Threads: 1 + int(seed%2), Batch: 4, Halved: halved, Settle: time.Hour, Record: tape})
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		if seed%4 == 3 { // never to be proven
			if ask(1, nil).Proven || ask(1, record.NewTape(0, nil)).Proven || ask(math.MaxInt, record.NewTape(0, nil)).Proven {
				t.Fatalf("seed %d: proven, and a point of the grid meets the case", seed)
			}
			refuted++
			continue
		}
		got, want := ask(1, nil), ask(math.MaxInt, nil)
		if kept := ask(math.MaxInt, record.NewTape(0, nil)); want.Proven && !kept.Proven && kept.Why != "" {
			t.Errorf("seed %d: halving proves it, and with its tree kept ends with %q", seed, kept.Why)
		}
		if want.Settled > 0 {
			t.Fatalf("seed %d: %d parts were settled, and none was to be", seed, want.Settled)
		}
		if want.Proven && !got.Proven && got.Why != "" {
			t.Errorf("seed %d: halving proves it, settling ends with %q", seed, got.Why)
		}
		if got.Proven {
			proven++
		}
		settled += got.Settled
	}
	t.Logf("%d parts settled, %d proven, %d not to be proven, of %d", settled, proven, refuted, nets)
	if settled < nets/4 || proven < nets/4 {
		t.Errorf("%d parts settled and %d proven of %d: the test shows little", settled, proven, nets)
	}
}

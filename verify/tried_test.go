package verify

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/shallow-waters/shoal/verify/internal/bound"
	"github.com/shallow-waters/shoal/verify/internal/search"
)

// TestTriedPartsHold gives hinges sides, and curves parts of their range, by rows alone, in both semantics: parts that a split was only tried on may
// be proven by that, and never come up again. A case that some point meets is to stay open, however thin the part that meets it; many others are
// proven. Networks are dense ones and of images. SHOAL_TRIED=N draws N networks.
func TestTriedPartsHold(t *testing.T) {
	t.Parallel()
	proven, splits, curved, narrow, images := 0, 0, 0, 0, 0
	nets := draws(t, "SHOAL_TRIED", 40, 20)
	for seed := range uint64(nets) {
		rng := rand.New(rand.NewPCG(seed, 89))
		draw, bends := bentCase, [][]string{{"Relu"}, {"Relu", "Tanh", "Sigmoid", "LeakyRelu"}}[seed/2%2]
		if seed%5 == 4 {
			draw = bentImage
		}
		v, box, c, least := draw(t, rng, bends...)
		limits, work := []float64{0.02, 0.002, -0.1, -0.3}, settledWork/16 // on one side or the other of what is met
		if seed%5 == 4 {
			limits, work = []float64{0.02, 0.002, -0.3, -0.4}, settledWork/64
		}
		for _, above := range limits {
			for k := range c.Bound {
				c.Bound[k] = least + above
			}
			ctx, cancel := context.WithCancel(context.Background())
			open := 0
			try := func(context.Context, []float64) (bool, []float64, error) { // asked of parts that stay open
				if open++; open == work {
					cancel()
				}
				return false, nil, nil
			}
			out, err := search.Neurons(ctx, v.net, bound.Options{Float32: seed%3 == 0}, search.Goal{Box: box, Cases: []search.Case{c}, Try: try},
				search.Settings{Threads: 1 + int(seed%2), Batch: 4, Rows: true, First: time.Hour})
			cancel()
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case out.Proven && above > 0:
				t.Errorf("seed %d: proven, and a point of the grid meets the case by %v", seed, above)
			case out.Proven:
				proven++
				splits += out.Done
				if out.Done > 1 && seed%5 == 4 {
					images++
				}
				if out.Done > 1 && !v.net.Hinged() {
					curved++
				}
				if out.Done > 1 && seed%3 == 0 {
					narrow++
				}
			}
		}
	}
	t.Logf("%d proven of %d, with %d parts; by splits %d with curves, %d of float32 executions, %d of images", proven, 2*nets, splits,
		curved, narrow, images)
	if proven < nets/3 || splits < 2*proven || curved == 0 || narrow == 0 || images == 0 && !testing.Short() {
		t.Errorf("%d proven of %d, with %d parts: the test shows little", proven, 2*nets, splits)
	}
}

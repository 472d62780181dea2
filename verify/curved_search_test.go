package verify

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/shallow-waters/shoal/verify/internal/bound"
	"github.com/shallow-waters/shoal/verify/internal/search"
)

// TestSearchOverCurvesAgainstSampling asks the search over sides and ranges about random networks of all curves: a row's lower limit is put a little
// above or below the least value that was sampled, so that splits decide. What is proven must be below every sample. SHOAL_PARTS=N draws N networks.
func TestSearchOverCurvesAgainstSampling(t *testing.T) {
	t.Parallel()
	patiently(t, curvesSampled)
}

// curvesSampled is a turn of it.
func curvesSampled(t *testing.T, slow time.Duration) (little string) {
	nets := draws(t, "SHOAL_PARTS", 60, 15)
	proven, split := 0, 0
	for seed := range uint64(nets) {
		rng := rand.New(rand.NewPCG(seed, 79))
		g, in, out := denseNet(rng)
		v := openGraph(t, g, Options{Method: DeepPoly, Semantics: []Semantics{Real, Float32}[seed%2], Threads: 1})
		box := randomBox(rng, in)
		for i, r := 0, 0.3+1.2*rng.Float64(); i < in; i++ { // wide enough for splits to matter
			box.Lower[i], box.Upper[i] = box.Lower[i]-r, box.Upper[i]+r
		}
		row := make([]float64, out)
		for k := range row {
			row[k] = rng.NormFloat64()
		}
		least, most := 0.0, 0.0 // of what intervals of the points prove to be reached
		for n, p := range onPoints(t, v, samplePoints(rng, box, 60)) {
			y := p.row(row)
			if n == 0 || y < least {
				least = y
			}
			if n == 0 || y > most {
				most = y
			}
		}
		limit := least + (most-least)*[]float64{0.02, -0.02, -0.05, -0.05, -0.1}[rng.IntN(5)]
		goal := search.Goal{Box: box, Cases: []search.Case{{Rows: [][]float64{row}, Bound: []float64{limit}, Strict: []bool{false}}}}
		ctx, cancel := context.WithTimeout(context.Background(), slow*300*time.Millisecond)
		got, err := search.Neurons(ctx, v.net, bound.Options{Float32: v.o.Semantics == Float32}, goal, search.Settings{Threads: 1})
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		if !got.Proven {
			continue
		}
		if least < limit {
			t.Fatalf("seed %d: a row is proven to be above %v, and %v was sampled", seed, limit, least)
		}
		proven++
		if got.Done > 1 {
			split++
		}
	}
	t.Logf("%d proven, %d by splits, of %d", proven, split, nets)
	if proven < nets/4 || split < nets/30 {
		return fmt.Sprintf("%d proven and %d by splits, of %d: the test shows little", proven, split, nets)
	}
	return ""
}

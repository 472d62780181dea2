package verify

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/shallow-waters/shoal/verify/internal/bound"
	"github.com/shallow-waters/shoal/verify/internal/search"
)

// TestAlphaIsNowhereLooser than deeppoly, for one box or for several at once, with steps or without, also where its time is over before it begins: of
// rows, of what enters hinges, and of outputs. What it says of a row's form is no more than the row's bound.
func TestAlphaIsNowhereLooser(t *testing.T) {
	ctx := context.Background()
	nets := 120
	if testing.Short() {
		nets = 30
	}
	tighter := 0
	for seed := range uint64(nets) {
		rng := rand.New(rand.NewPCG(seed, 4242))
		g, in, out := denseNet(rng)
		if seed%2 == 1 {
			g, in, out = convNet(rng)
		}
		sem := []Semantics{Real, Float32}[seed/2%2]
		v := openGraph(t, g, Options{Semantics: sem, Threads: 1, Plain: seed%5 == 0})
		var problems []bound.Problem
		var rows [][]float64
		var owner []int32
		for i := range 1 + rng.IntN(3) {
			problems = append(problems, bound.Problem{Box: randomBox(rng, in)})
			for range 3 {
				row := make([]float64, out)
				for k := range row {
					row[k] = rng.NormFloat64()
				}
				rows, owner = append(rows, row), append(owner, int32(i))
			}
		}
		plain, err := bound.DeepPoly.Bound(ctx, v.net, boundOptions(v.o), problems)
		if err != nil {
			t.Fatal(err)
		}
		least, err := plain.Lower(rows, owner, nil)
		if err != nil {
			t.Fatal(err)
		}
		e := search.Effort{Steps: rng.IntN(12)}
		if seed%3 == 0 {
			e.Until = time.Now()
		}
		b, err := search.BoundAlpha(ctx, v.net, boundOptions(v.o), problems, e)
		if err != nil {
			t.Fatal(err)
		}
		var trace bound.Trace
		low, err := b.Lower(rows, owner, &trace)
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range low {
			if !(x >= least[i]) {
				t.Errorf("seed %d: row %d has %.17g, deeppoly %.17g", seed, i, x, least[i])
			}
			if x > least[i] {
				tighter++
			}
			sum := trace.Const[i]
			for k, at := range trace.Corner(i, problems[owner[i]].Box) {
				sum += trace.Coef[i][k] * at
			}
			if sum > x+1e-9*(1+math.Abs(x)) {
				t.Errorf("seed %d: row %d is bounded by %v, its form has %v", seed, i, x, sum)
			}
		}
		for i, l := range b.Layers() {
			for k, lo := range l.Box.Lower {
				if p := plain.Layers()[i].Box; lo < p.Lower[k] || l.Box.Upper[k] > p.Upper[k] {
					t.Fatalf("seed %d: layer %d, element %d: [%v, %v], deeppoly [%v, %v]", seed, i, k, lo, l.Box.Upper[k], p.Lower[k], p.Upper[k])
				}
			}
		}
		for i := range problems {
			ours, theirs := b.Outputs(i), plain.Outputs(i)
			for k, lo := range ours.Lower {
				if lo < theirs.Lower[k] || ours.Upper[k] > theirs.Upper[k] {
					t.Errorf("seed %d: output %d: [%v, %v], deeppoly [%v, %v]", seed, k, lo, ours.Upper[k], theirs.Lower[k], theirs.Upper[k])
				}
			}
		}
		b.Close()
		plain.Close()
	}
	if tighter < nets/2 {
		t.Errorf("only %d rows are tighter", tighter)
	}
}

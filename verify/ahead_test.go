package verify

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/verify/internal/bound"
)

// TestEquationsAheadOfRowsHold is the adversary of equations that go ahead of rows: boxes of all outputs, and rows over them, hold at sampled points
// and corners, also where some of the inputs have no width, and under both semantics. SHOAL_PARTS=N draws N networks of each kind.
func TestEquationsAheadOfRowsHold(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	want := fromEnv(t, "SHOAL_PARTS", 100)
	moved := 0
	for seed := range uint64(2 * want) {
		rng := rand.New(rand.NewPCG(seed, 78))
		g, in, out := denseNet(rng)
		if seed%2 == 1 {
			g, in, out = convNet(rng)
		}
		sem := []Semantics{Real, Float32}[seed/2%2]
		v := openGraph(t, g, Options{Method: DeepPoly, Semantics: sem, Threads: 1})
		box := randomBox(rng, in)
		for i := range box.Lower { // at most as many vary as may
			if in > 16 && i >= 10 || rng.IntN(4) == 0 {
				box.Lower[i] = 0.5*box.Lower[i] + 0.5*box.Upper[i]
				box.Upper[i] = box.Lower[i]
			}
		}
		rows := [][]float64{make([]float64, out), make([]float64, out)}
		for i := range rows {
			for k := range rows[i] {
				rows[i][k] = rng.NormFloat64()
			}
		}
		at := onPoints(t, v, samplePoints(rng, box, 40))
		o := boundOptions(v.o)
		var width [2]float64
		for k, ahead := range []int{1 << 30, 1} {
			o.Ahead = ahead
			b, err := bound.DeepPoly.Bound(ctx, v.net, o, []bound.Problem{{Box: box}, {Box: box}})
			if err != nil {
				t.Fatal(err)
			}
			low, err := b.Lower(rows, []int32{0, 1}, nil)
			if err != nil {
				t.Fatal(err)
			}
			for problem := range 2 {
				got := b.Outputs(problem)
				for n, p := range at {
					for i := range got.Lower {
						if tol := 1e-12 * (1 + math.Abs(p.out.Lower[i])); p.out.Upper[i] < got.Lower[i]-tol || p.out.Lower[i] > got.Upper[i]+tol {
							t.Fatalf("seed %d: output %d is within [%v, %v] at point %d, its box is [%v, %v]", seed, i, p.out.Lower[i], p.out.Upper[i], n, got.Lower[i], got.Upper[i])
						}
					}
					if y := p.row(rows[problem]); y < low[problem]-1e-12*(1+math.Abs(y)) {
						t.Fatalf("seed %d: a row is %v at point %d, its bound %v", seed, y, n, low[problem])
					}
				}
			}
			for _, l := range b.Layers() {
				for j := range l.Box.Lower {
					width[k] += l.Box.Upper[j] - l.Box.Lower[j]
				}
			}
			b.Close()
		}
		if width[1] != width[0] {
			moved++
		}
	}
	if moved < want/2 {
		t.Errorf("equations changed %d networks' boxes of %d: the test shows little", moved, 2*want)
	}
}

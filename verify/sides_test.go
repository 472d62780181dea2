package verify

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/verify/internal/bound"
)

// TestSidesHoldOnParts bounds boxes, boxes within them and boxes within these, each with what was proved of hinges over the one around: no point's
// values may leave what is then said, rows may not be looser than without, taken together (one may: slopes follow boxes), and sides serve no box that
// they were not proved over.
func TestSidesHoldOnParts(t *testing.T) {
	ctx := context.Background()
	known, met, gained := 0, 0, 0.0
	for seed := range uint64(fromEnv(t, "SHOAL_PARTS", 150)) {
		rng := rand.New(rand.NewPCG(seed, 78))
		g, in, out := denseNet(rng)
		if seed%2 == 1 {
			g, in, out = convNet(rng)
		}
		sem := []Semantics{Real, Float32}[seed/2%2]
		v := openGraph(t, g, Options{Method: DeepPoly, Semantics: sem, Threads: 1})
		o := boundOptions(v.o)
		box := randomBox(rng, in)
		row := make([]float64, out)
		for i := range row {
			row[i] = rng.NormFloat64()
		}
		var sides *bound.Sides
		for range 4 {
			b, err := bound.DeepPoly.Bound(ctx, v.net, o, []bound.Problem{{Box: box, Sides: sides}})
			if err != nil {
				t.Fatal(err)
			}
			plain, err := bound.DeepPoly.Bound(ctx, v.net, o, []bound.Problem{{Box: box}})
			if err != nil {
				t.Fatal(err)
			}
			low, err := b.Lower([][]float64{row}, []int32{0}, nil)
			if err != nil {
				t.Fatal(err)
			}
			other, err := plain.Lower([][]float64{row}, []int32{0}, nil)
			if err != nil {
				t.Fatal(err)
			}
			gained += (low[0] - other[0]) / (1 + math.Abs(other[0]))
			points := onPoints(t, v, samplePoints(rng, box, 20))
			view := b.View()
			for k := range points {
				points[k].within(t, seed, "with sides", view, 0)
				met++
				if y := points[k].row(row); y < low[0]-1e-12*(1+math.Abs(y)) {
					t.Fatalf("seed %d: a row is %.17g at a point, its bound %.17g", seed, y, low[0])
				}
			}
			sides = b.Sides(0)
			if sides != nil {
				known++
			}
			b.Close()
			plain.Close()
			box = within(rng, box)
		}
		if sides == nil {
			continue
		}
		wide := bound.Box{Lower: append([]float64(nil), box.Lower...), Upper: append([]float64(nil), box.Upper...)}
		wide.Upper[rng.IntN(in)] += 10
		if _, err := bound.DeepPoly.Bound(ctx, v.net, o, []bound.Problem{{Box: wide, Sides: sides}}); err == nil {
			t.Errorf("seed %d: sides serve a box that they were not proved over", seed)
		}
	}
	if gained < -1e-3 {
		t.Errorf("bounds with what is known of hinges are looser than without by %g, all together", -gained)
	}
	if known < met/100 {
		t.Errorf("sides were known %d times, with %d points: the test shows little", known, met)
	}
}

// within is a random box inside another.
func within(rng *rand.Rand, box bound.Box) bound.Box {
	in := bound.Box{Lower: make([]float64, len(box.Lower)), Upper: make([]float64, len(box.Lower))}
	for i, l := range box.Lower {
		w := box.Upper[i] - l
		a, b := rng.Float64(), rng.Float64()
		if rng.IntN(3) == 0 { // a common face
			a = 0
		}
		in.Lower[i] = min(l+min(a, b)*w, box.Upper[i])
		in.Upper[i] = max(min(l+max(a, b)*w, box.Upper[i]), in.Lower[i])
	}
	return in
}

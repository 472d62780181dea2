package verify

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/internal/kernel"
	"github.com/shallow-waters/shoal/verify/internal/bound"
)

// TestWhatIsSoughtInFloat32 has parameters of random networks looked for over two boxes at once. Where the search says to look, bounds are sound
// for sampled points; they are nowhere below those at which it began, but for what float32 takes for the same; and in the mean they are above the
// best of many that are drawn. Without a step parameters stay.
func TestWhatIsSoughtInFloat32(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	pace := bound.Pace{
		Hinges: func(step int) kernel.Ascent {
			return kernel.NewAscent(step, 0.2*math.Pow(0.97, float64(step)), 0.9, 0.999, 1e-8)
		},
		Curves: func(step int, of bound.Choice, x, g float64, m, v *float64) float64 {
			*m = 0.9**m + 0.1*g
			*v = 0.999**v + 0.001*g*g
			n := float64(step)
			return of.Clamp(x + 0.05*min(8, of.To-of.From)**m/(1-math.Pow(0.9, n))/(math.Sqrt(*v/(1-math.Pow(0.999, n)))+1e-8))
		},
	}
	sought, raised := 0, 0
	var gained, drawn float64
	for seed := range uint64(draws(t, "SHOAL_SEEK", 60, 25)) {
		rng := rand.New(rand.NewPCG(seed, 1907))
		g, in, out := denseNet(rng)
		if seed%4 == 3 {
			g, in, out = convNet(rng)
		}
		v := openGraph(t, g, Options{Method: DeepPoly, Threads: 1 + int(seed)%2})
		boxes := []bound.Box{randomBox(rng, in), randomBox(rng, in)}
		b, err := bound.DeepPoly.Bound(ctx, v.net, boundOptions(v.o), []bound.Problem{{Box: boxes[0]}, {Box: boxes[1]}})
		if err != nil {
			t.Fatal(err)
		}
		root := b.Keep()
		b.Close()
		var nodes []bound.Node
		var rows [][]float64
		for i := range 8 {
			row := make([]float64, out)
			for k := range row {
				row[k] = rng.NormFloat64()
			}
			rows, nodes = append(rows, row), append(nodes, bound.Node{Of: root, Problem: i % 2})
		}
		lay := func() *bound.Laid {
			l, err := bound.Lay(ctx, nodes, 1+int(seed)%2)
			if err != nil {
				t.Fatal(err)
			}
			return l
		}
		lower := func(l *bound.Laid) []float64 {
			low, err := l.Lower(rows, nil)
			if err != nil {
				t.Fatal(err)
			}
			return low
		}
		l := lay()
		before := lower(l)
		pace.Steps = 0
		ok, err := l.SeekLower(rows, pace)
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range lower(l) {
			if ok && math.Abs(x-before[i]) > 1e-5*(1+math.Abs(before[i])) {
				t.Errorf("seed %d: row %d is bounded by %v after no step, by %v before", seed, i, x, before[i])
			}
		}
		pace.Steps = 30
		if ok, err = l.SeekLower(rows, pace); err != nil {
			t.Fatal(err)
		}
		if !ok {
			l.Close()
			continue
		}
		sought++
		after := lower(l)
		l.Close()
		best := append([]float64{}, before...)
		random := lay()
		for range 30 {
			for i := range nodes {
				disturb(rng, random, i, root.Slots(), 0)
			}
			for i, x := range lower(random) {
				best[i] = max(best[i], x)
			}
		}
		random.Close()
		for i := range after {
			if !(after[i] >= before[i]-1e-5*(1+math.Abs(before[i]))) {
				t.Errorf("seed %d: row %d is bounded by %v after steps, by %v before", seed, i, after[i], before[i])
			}
			if after[i] > before[i]+1e-3*(1+math.Abs(before[i])) {
				raised++
			}
			gained += (after[i] - before[i]) / (1 + math.Abs(before[i]))
			drawn += (best[i] - before[i]) / (1 + math.Abs(before[i]))
		}
		for k, box := range boxes {
			for _, p := range onPoints(t, v, samplePoints(rng, box, 30)) {
				for i := k; i < len(rows); i += 2 {
					if y := p.row(rows[i]); y < after[i]-1e-12*(1+math.Abs(y)) {
						t.Fatalf("seed %d: row %d is %.17g at a point, its bound %.17g", seed, i, y, after[i])
					}
				}
			}
		}
	}
	t.Logf("%d networks, %d rows raised, by %.3g all together; the best drawn %.3g", sought, raised, gained, drawn)
	if sought < 10 || raised < sought || gained < drawn {
		t.Errorf("%d networks, %d rows raised, by %v all together; the best of those drawn by %v", sought, raised, gained, drawn)
	}
}

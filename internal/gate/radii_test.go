package gate

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/shallow-waters/shoal/internal/report"
)

// TestRadiiOfClasses counts, for random radii, how many of each class lie below what is told: at most the share that it stands for.
func TestRadiiOfClasses(t *testing.T) {
	const seed = 9
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 200 {
		q := float64(rng.IntN(100)) / 100
		of := map[int][]float64{}
		var used []answer
		for range 1 + rng.IntN(60) {
			a := answer{Label: rng.IntN(4), Value: report.Number(float64(rng.IntN(20)) / 16)}
			v := float64(a.Value)
			if rng.IntN(5) == 0 {
				a.Value, v = report.None(), 0
			}
			of[a.Label] = append(of[a.Label], v)
			used = append(used, a)
		}
		got := radiiOf(used, q)
		if len(got) != len(of) {
			t.Fatalf("%d classes of %d", len(got), len(of))
		}
		for _, c := range got {
			v := of[c.Class]
			if c.Samples != len(v) || float64(c.Smallest) != slices.Min(v) || float64(c.Largest) != slices.Max(v) {
				t.Fatalf("%+v of %v", c, v)
			}
			for share, told := range map[float64]report.Number{q: c.Quantile, 0.5: c.Median} {
				below, to := 0, 0
				for _, x := range v {
					if x < float64(told) {
						below++
					}
					if x <= float64(told) {
						to++
					}
				}
				if float64(below) > share*float64(len(v)) || float64(to) <= share*float64(len(v)) && share < 1 {
					t.Fatalf("share %v of %v: %v has %d below and %d up to it", share, v, told, below, to)
				}
			}
		}
	}
}

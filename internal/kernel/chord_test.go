package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// chords compares the loops of chord.go in float32 with those in float64, which are plain, and these with their formulas.
func chords(t *testing.T, rng *rand.Rand, row []float32) {
	t.Helper()
	n := len(row)
	const past = 7 // what stands behind stays
	vectors := make([][]float32, 8)
	wide := make([][]float64, len(vectors))
	for k := range vectors {
		vectors[k] = append(random[float32](rng, n), past)
		for _, v := range vectors[k] {
			wide[k] = append(wide[k], float64(v))
		}
	}
	coef := make([]float64, n)
	sum, size := 0.0, 0.0
	for i, v := range row {
		coef[i] = float64(v)
		sum += coef[i] * wide[0][i]
		size += math.Abs(coef[i]) * wide[1][i]
	}
	// each of two sums of n terms of products of numbers up to 10 or so
	near := func(what string, got, want float64) {
		t.Helper()
		if !(math.Abs(got-want) <= 1e-4*float64(n+1)) {
			t.Fatalf("%s %s: %v of %d, want %v", Level(), what, got, n, want)
		}
	}
	a, b := Spread(row, vectors[0], vectors[1])
	near("Spread", float64(a), sum)
	near("Spread", float64(b), size)
	y := append(make([]float32, n), past)
	a, b = Below(y[:n], row, vectors[2], vectors[0], vectors[1])
	near("Below", float64(a), sum)
	near("Below", float64(b), size)
	same := func(what string, got []float32, want func(i int) float64) {
		t.Helper()
		for i := range n {
			if w := want(i); !(math.Abs(float64(got[i])-w) <= 1e-4) {
				t.Fatalf("%s %s: element %d of %d is %v, want %v", Level(), what, i, n, got[i], w)
			}
		}
		if got[n] != past {
			t.Fatalf("%s %s: %d float32s, and one more is written", Level(), what, n)
		}
	}
	sign := func(i int) float64 {
		if row[i] == 0 {
			return 0
		}
		return math.Copysign(1, coef[i])
	}
	same("Below", y, func(i int) float64 { return coef[i] * wide[2][i] })
	Signs(y[:n], row, vectors[0], vectors[1], 0.5, -1.5)
	same("Signs", y, func(i int) float64 { return 0.5*wide[0][i] - sign(i)*1.5*wide[1][i] })
	c := &Chord[float32]{Slope: vectors[2], Mid: vectors[0], Rad: vectors[1], DSlope: vectors[3], DMid: vectors[4], DRad: vectors[5]}
	c.Above(vectors[6][:n], y[:n], row, 0.5, -1.5)
	same("Above, coefficients", y, func(i int) float64 { return coef[i] * wide[2][i] })
	same("Above, slopes", vectors[3], func(i int) float64 { return wide[3][i] + wide[6][i]*coef[i] })
	same("Above, midpoints", vectors[4], func(i int) float64 { return wide[4][i] + 0.5*coef[i] })
	same("Above, radii", vectors[5], func(i int) float64 { return wide[5][i] - 1.5*math.Abs(coef[i]) })
	same("Above", vectors[6], func(i int) float64 { return wide[6][i]*wide[2][i] + 0.5*wide[0][i] - sign(i)*1.5*wide[1][i] })
}

package report

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
)

// TestBoundsAreShownOutward: what is printed of a bound is a bound, and not far from it.
func TestBoundsAreShownOutward(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 20000 {
		f := rng.NormFloat64() * math.Exp(40*rng.NormFloat64())
		if i%3 == 0 { // a last digit of 9s
			f, _ = strconv.ParseFloat(strconv.FormatFloat(f, 'e', rng.IntN(3), 64), 64)
			f = math.Nextafter(f, math.Inf(1-2*rng.IntN(2)))
		}
		for _, digits := range []int{4, 7} {
			for _, sign := range []float64{-1, 1} {
				shown, err := strconv.ParseFloat(directed(f, digits, sign), 64)
				if err != nil || sign*shown < sign*f || math.Abs(shown-f) > 3*math.Pow(10, float64(1-digits))*math.Abs(f) {
					t.Fatalf("%v is shown as %v in %d digits, rounded towards %v", f, shown, digits, sign)
				}
			}
		}
	}
	for _, f := range []float64{math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, math.Inf(1), math.Inf(-1), math.NaN()} {
		for _, sign := range []float64{-1, 1} {
			if s := directed(f, 4, sign); (s == "-") != (math.IsNaN(f) || math.IsInf(f, 0)) {
				t.Errorf("%v is shown as %s", f, s)
			}
		}
	}
	if s := directed(0, 4, 1); s != "0" {
		t.Error(s)
	}
}

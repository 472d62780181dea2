package kernel

import (
	"math"
	"testing"
)

// TestScoresThatAreNoNumbersDecideNothing asks for the class of scores with NaN and infinities at every place, in both precisions.
func TestScoresThatAreNoNumbersDecideNothing(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		scores []float64
		want   int
	}{
		{nil, -1}, {[]float64{3}, 0}, {[]float64{1, 2, 2}, 1}, {[]float64{-3, -2, -5}, 1}, {[]float64{0, math.Copysign(0, -1)}, 0},
		{[]float64{nan, 1, 2}, -1}, {[]float64{1, nan, 2}, -1}, {[]float64{2, 1, nan}, -1}, {[]float64{nan}, -1},
		{[]float64{1, inf, 2}, -1}, {[]float64{inf, inf}, -1}, {[]float64{-inf, -inf}, -1},
		{[]float64{-inf, -2, -inf}, 1}, // a class that is ruled out
	} {
		if got := Largest(c.scores); got != c.want {
			t.Errorf("%v: %d, want %d", c.scores, got, c.want)
		}
		var narrow []float32
		for _, v := range c.scores {
			narrow = append(narrow, float32(v))
		}
		if got := Largest(narrow); got != c.want {
			t.Errorf("%v as float32: %d, want %d", c.scores, got, c.want)
		}
	}
}

package trial

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Level is the confidence of all intervals.
const Level = 0.95

// Wilson is the interval of a share of n; NaN for a share of nothing. Wilson 1927, "Probable inference, the law of succession, and
// statistical inference".
func Wilson(k, n int) (low, high float64) {
	return WilsonAt(float64(k)/float64(n), n, Level)
}

// WilsonAt is the interval of a share p of n with another confidence.
func WilsonAt(p float64, n int, level float64) (low, high float64) {
	if n == 0 {
		return math.NaN(), math.NaN()
	}
	z := distuv.UnitNormal.Quantile(0.5 + level/2)
	m := float64(n)
	middle, half := (p+z*z/(2*m))/(1+z*z/m), z/(1+z*z/m)*math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return max(0, middle-half), min(1, middle+half)
}

package kernel

import "math"

// Largest is the place of the largest of some scores, the first of equal ones: the class that they decide. It is -1 where they decide nothing: where
// one of them is NaN, where the largest is infinite (what is beyond a type's range is beyond comparing), and where there are none.
func Largest[T float32 | float64](z []T) int {
	best := -1
	for i, v := range z {
		if v != v {
			return -1
		}
		if best < 0 || v > z[best] {
			best = i
		}
	}
	if best < 0 || math.IsInf(float64(z[best]), 0) {
		return -1
	}
	return best
}

package op

import "math"

// Bounds on the errors of float32 executions, where they depend on the inputs' boxes (see Linear.Execution). They are computed in float64,
// whose own rounding the room in gamma32 covers.

// unit32 is the largest relative error of one float32 operation.
const unit32 = 0x1p-24

// gamma32 bounds the relative error of n float32 operations one after the other, n*u/(1-n*u), with room for its use in float64.
// Source: Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.1.
func gamma32(n int) float64 {
	x := float64(n) * unit32
	if x >= 0.5 {
		return math.Inf(1)
	}
	return x / (1 - x) * (1 + 0x1p-20)
}

// largest32 is a magnitude from which on sums or squares might leave the range of float32.
const largest32 = 0x1p60

// within32 is e, or infinite where magnitudes are so large that float32 may overflow, and nothing is known.
func within32(mag, e float64) float64 {
	if !(mag <= largest32) || math.IsNaN(e) {
		return math.Inf(1)
	}
	return e
}

// magnitude is the largest absolute value of an element of a box.
func magnitude(b Box, i int) float64 { return max(math.Abs(b.Lower[i]), math.Abs(b.Upper[i])) }

package sound

import "math"

// Bounds on the errors of float32 executions are computed in float64, whose own rounding the room in Gamma32 covers.

// Unit32 is float32's unit roundoff: the largest relative error of one float32 operation whose result is a normal number.
const Unit32 = 0x1p-24

// Flush is what a result or an operand below the normal numbers of float32 may lose when it is flushed to zero. Gradual underflow loses less.
const Flush = 0x1p-126

// Largest32 is the largest finite float32.
const Largest32 = math.MaxFloat32

// Tiny32 is added to a sum of magnitudes before it is multiplied by Gamma32, and covers what its n products and n sums lose by underflow: at
// most 2n*2^-126 even if all results below the normal numbers are flushed to zero, where Gamma32(n)*Tiny32 is above n*2^-122.
const Tiny32 = 0x1p-98

// Gamma32 bounds the relative error of n float32 operations one after the other, n*u/(1-n*u), with room for its use in float64; +Inf where n*u
// is a half or more: then nothing is known. Source: Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.1.
//
// The float64 quotient is off by 2^-52 relatively, and 2^-20 is left.
func Gamma32(n int) float64 {
	x := float64(n) * Unit32
	if x >= 0.5 {
		return math.Inf(1)
	}
	return x / (1 - x) * (1 + 0x1p-20)
}

// Sum32 is what a float32 sum of products of n roundings may be off, where the products' magnitudes add up to mag; +Inf where it may leave the
// range of float32 on its way, rounding included.
func Sum32(n int, mag float64) float64 {
	g := Gamma32(n)
	return Fits32(mag*(1+g), g*(mag+Tiny32))
}

// Squares32 is a magnitude of which squares, and sums of 2^7 of them, are inside the range of float32.
const Squares32 = 0x1p60

// Within32 is e, or +Inf where a magnitude is so large that its squares may overflow in float32, and nothing is known. NaN is +Inf.
func Within32(mag, e float64) float64 {
	if !(mag <= Squares32) || math.IsNaN(e) {
		return math.Inf(1)
	}
	return e
}

// Fits32 is e, or +Inf where an intermediate of that magnitude, rounding included, may leave the range of float32. NaN is +Inf.
//
// The room of 2^-10 is that of 2^13 roundings: (1-2^-10)(1+Gamma32(2^13)) < 1. Who rounds more often gives the magnitude with its rounding.
func Fits32(mag, e float64) float64 {
	if !(mag <= Largest32*(1-0x1p-10)) || math.IsNaN(e) {
		return math.Inf(1)
	}
	return e
}

package sound

import (
	"math"
	"math/big"
)

// Float32Above is the smallest float32 that is not below x; the largest that is not above is -Float32Above(-x). It is +Inf beyond Largest32.
//
// No float32 lies between x and the nearest one, so that one or its neighbour above is the smallest.
func Float32Above(x float64) float32 {
	f := float32(x)
	if float64(f) < x {
		f = math.Nextafter32(f, float32(math.Inf(1)))
	}
	return f
}

// Float32AboveSum is the smallest float32 that is not below x+r: every float32 is a float64, so it is the smallest that is not below the
// smallest float64 that is not.
func Float32AboveSum(x, r float64) float32 { return Float32Above(Sum(x, r).Up) }

// Float32AboveRat is the smallest float32 that is not below r, by the same reason.
func Float32AboveRat(r *big.Rat) float32 { return Float32Above(RatUp(r)) }

// Float32In is the float32 of [lower, upper] that is nearest to x; ok is false where there is none near: the interval holds no float32, or x
// lies outside.
func Float32In(x, lower, upper float64) (f float32, ok bool) {
	f = float32(x)
	if float64(f) < lower {
		f = math.Nextafter32(f, float32(math.Inf(1)))
	}
	if float64(f) > upper {
		f = math.Nextafter32(f, float32(math.Inf(-1)))
	}
	return f, float64(f) >= lower && float64(f) <= upper
}

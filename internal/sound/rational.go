package sound

import (
	"math"
	"math/big"
)

// Nearest is the float64 nearest to a rational number, and whether it is that number.
//
// big.Rat's own Float64 is not asked about the latter: of Go 1.26 it calls powers of two below 2^-1075 exact, which it turns into 0.
func Nearest(r *big.Rat) (f float64, exact bool) {
	f, exact = r.Float64()
	return f, exact && (f != 0 || r.Sign() == 0)
}

// RatUp is the least float64 that is not below r; +Inf beyond the largest.
//
// No float64 lies between r and the nearest one, so that one or its neighbour above is the least.
func RatUp(r *big.Rat) float64 {
	f, exact := Nearest(r)
	if exact || math.IsInf(f, 1) {
		return f
	}
	if math.IsInf(f, -1) { // r is finite, and so has a float64 above it
		return -math.MaxFloat64
	}
	if new(big.Rat).SetFloat64(f).Cmp(r) < 0 {
		f = Up(f)
	}
	return f
}

// RatDown is the greatest float64 that is not above r; -Inf beyond the smallest. See RatUp.
func RatDown(r *big.Rat) float64 {
	f, exact := Nearest(r)
	if exact || math.IsInf(f, -1) {
		return f
	}
	if math.IsInf(f, 1) { // r is finite, and so has a float64 below it
		return math.MaxFloat64
	}
	if new(big.Rat).SetFloat64(f).Cmp(r) > 0 {
		f = Down(f)
	}
	return f
}

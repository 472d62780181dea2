package verify

import (
	"math"
	"math/big"
)

// roundUp is the least float64 that is not below r.
func roundUp(r *big.Rat) float64 {
	f, exact := nearest(r)
	if exact || math.IsInf(f, 1) {
		return f
	}
	if math.IsInf(f, -1) { // r is finite, and so has a float64 above it
		return -math.MaxFloat64
	}
	if new(big.Rat).SetFloat64(f).Cmp(r) < 0 {
		f = math.Nextafter(f, math.Inf(1))
	}
	return f
}

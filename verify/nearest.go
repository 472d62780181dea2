package verify

import "math/big"

// nearest is the float64 nearest to a rational number, and whether it is that number.
//
// big.Rat's own Float64 is not asked about the latter: of Go 1.26 it calls powers of two below 2^-1075 exact, which it turns into 0.
func nearest(r *big.Rat) (f float64, exact bool) {
	f, exact = r.Float64()
	return f, exact && (f != 0 || r.Sign() == 0)
}

package operators

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// TestPowBoundsHoldAtAllScales compares with square roots and products in high precision, for exponents that are multiples of 1/32: the
// error of math.Pow grows with the logarithm of its base.
func TestPowBoundsHoldAtAllScales(t *testing.T) {
	rng := rand.New(rand.NewPCG(91, 92))
	worst := 0.0
	for range rounds(4000) {
		x := math.Exp(rng.Float64()*1400 - 700)
		if rng.IntN(2) == 0 {
			x = math.Exp(rng.NormFloat64() * 5)
		}
		k := rng.IntN(200) - 100
		e := float64(k) / 32
		if p := e * math.Log(x); math.Abs(p) > 700 || e == 0 || e == 1 || e == 2 { // those are exact
			continue
		}
		root := new(big.Float).SetPrec(300).SetFloat64(x)
		for range 5 {
			root.Sqrt(root)
		}
		want := new(big.Float).SetPrec(300).SetInt64(1)
		for range max(k, -k) {
			want.Mul(want, root)
		}
		if k < 0 {
			want.Quo(new(big.Float).SetPrec(300).SetInt64(1), want)
		}
		lo, hi := powBounds(e, x)
		if want.Cmp(big.NewFloat(lo)) < 0 || want.Cmp(big.NewFloat(hi)) > 0 {
			t.Fatalf("%v^%v is %v outside [%v, %v]", x, e, want, lo, hi)
		}
		d, _ := new(big.Float).Sub(want, big.NewFloat(math.Pow(x, e))).Float64()
		w, _ := want.Float64()
		worst = max(worst, math.Abs(d)/w*0x1p52)
	}
	t.Logf("math.Pow is off by at most %.3g units in the last place", worst)
}

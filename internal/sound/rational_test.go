package sound

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// compare says on which side of r a float64 lies; infinities lie beyond everything.
func compare(f float64, r *big.Rat) int {
	if math.IsInf(f, 0) {
		return int(math.Copysign(1, f))
	}
	return new(big.Rat).SetFloat64(f).Cmp(r)
}

func rat(x float64) *big.Rat { return new(big.Rat).SetFloat64(x) }

func power(e int) *big.Rat {
	p := new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), uint(max(e, -e))))
	if e < 0 {
		p.Inv(p)
	}
	return p
}

// TestRationalsAreRoundedToTheirNeighbours: on the named side, no float64 between, exact where it is one; powers of two with few and with all digits
// over and beyond the whole range, numbers half way between two, and a thousandth of that beside.
func TestRationalsAreRoundedToTheirNeighbours(t *testing.T) {
	check := func(r *big.Rat) {
		t.Helper()
		low, up := RatDown(r), RatUp(r)
		if compare(low, r) > 0 || compare(up, r) < 0 || compare(Up(low), r) <= 0 && low != up || compare(Down(up), r) >= 0 && low != up {
			t.Errorf("%v: rounded to %v and %v", r.FloatString(30), low, up)
		}
		f, exact := Nearest(r)
		if f != low && f != up || exact != (compare(f, r) == 0) || exact && low != up {
			t.Errorf("%v: nearest is %v, exact %v, between %v and %v", r.FloatString(30), f, exact, low, up)
		}
		g := Float32AboveRat(r)
		if compare(float64(g), r) < 0 || compare(float64(math.Nextafter32(g, float32(math.Inf(-1)))), r) >= 0 {
			t.Errorf("%v: float32 above is %v", r.FloatString(30), g)
		}
	}
	for _, s := range []string{"0", "0.1", "-0.1", "1/3", "-1/3", "1", "1e400", "-1e400", "1e-400", "-1e-400", "0.30000000000000004",
		"123456789012345678901"} {
		r, ok := new(big.Rat).SetString(s)
		if !ok {
			t.Fatal(s)
		}
		check(r)
	}
	for _, m := range []int64{1, -1, 3, 1<<52 + 1, 1<<53 - 1, 1<<60 + 1, -1<<53 - 1} {
		for e := -3000; e <= 1100; e += 1 + e*e/3000000*6 {
			check(new(big.Rat).Mul(new(big.Rat).SetInt64(m), power(e)))
		}
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		x := anyFloat(rng)
		half := new(big.Rat).Add(rat(x), rat(Up(x)))
		half.Quo(half, big.NewRat(2, 1))
		gap := new(big.Rat).Sub(rat(Up(x)), rat(x))
		gap.Quo(gap, big.NewRat(1000, 1))
		check(half)
		check(new(big.Rat).Add(half, gap))
		check(new(big.Rat).Sub(half, gap))
		check(new(big.Rat).Sub(rat(x), gap))
	}
}

// anyFloat draws finite numbers of all sizes, some with few digits, and keeps below the largest.
func anyFloat(rng *rand.Rand) float64 {
	bits := rng.Uint64()
	if rng.IntN(3) == 0 {
		bits &= ^uint64(1<<rng.IntN(52) - 1)
	}
	switch rng.IntN(6) {
	case 0:
		bits &^= 0x7ff << 52 // subnormal
	case 1, 2:
		bits = bits&^(0x7ff<<52) | uint64(1023+rng.IntN(9)-4)<<52
	}
	x := math.Float64frombits(bits)
	if math.IsNaN(x) || math.Abs(x) > 1e308 {
		return 1
	}
	return x
}

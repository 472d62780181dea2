package sound

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// pair draws two numbers that may be equal, opposite, near each other, 0 or ±1.
func pair(rng *rand.Rand) (a, b float64) {
	a, b = anyFloat(rng), anyFloat(rng)
	special := []float64{0, 1, -1, a, -a, Up(a), -Up(a), Up(1), Down(-1), 0x1p-1074}
	if rng.IntN(2) == 0 {
		b = special[rng.IntN(len(special))]
	}
	if rng.IntN(4) == 0 {
		a, b = b, a
	}
	return a, b
}

// TestDirectedOperationsBoundTheExactResult: sums and products of numbers of all sizes against rationals: on the right side, and no more than two
// float64s wide.
func TestDirectedOperationsBoundTheExactResult(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 1))
	for range 50000 {
		a, b := pair(rng)
		x, y := rat(a), rat(b)
		for _, c := range []struct {
			what    string
			low, up float64
			exact   *big.Rat
		}{
			{"sum", AddDown(a, b), AddUp(a, b), new(big.Rat).Add(x, y)},
			{"product", MulDown(a, b), MulUp(a, b), new(big.Rat).Mul(x, y)},
		} {
			if compare(c.low, c.exact) > 0 || compare(c.up, c.exact) < 0 {
				t.Fatalf("%s of %v and %v: %v is not in [%v, %v]", c.what, a, b, c.exact, c.low, c.up)
			}
			if Up(Up(c.low)) < c.up {
				t.Fatalf("%s of %v and %v: [%v, %v] is wide", c.what, a, b, c.low, c.up)
			}
		}
		if s := AddUp(a, -a); s != 0 || AddDown(a, 0) != a || MulUp(a, -1) != -a || MulDown(1, a) != a {
			t.Fatalf("%v: what is exact does not stay so", a)
		}
	}
	inf := math.Inf(1)
	if MulUp(inf, 0) != 0 || MulDown(0, -inf) != 0 || MulUp(inf, 2) != inf || MulDown(inf, -2) != -inf ||
		AddUp(inf, 1) != inf || AddDown(-inf, 1) != -inf {
		t.Error("infinite ends are not kept")
	}
	if x := AddUp(-1e308, -1e308); x != -math.MaxFloat64 {
		t.Errorf("a sum that overflows downward is at most %v", x)
	}
}

// TestGammasAreNotBelowTheirFormula compares n*u/(1-n*u) with both, to the last n that a memory could hold, and beyond.
func TestGammasAreNotBelowTheirFormula(t *testing.T) {
	one := big.NewRat(1, 1)
	check := func(n int, unit, got, room float64) {
		t.Helper()
		x := new(big.Rat).Mul(new(big.Rat).SetInt64(int64(n)), rat(unit))
		if x.Cmp(big.NewRat(1, 2)) >= 0 {
			if !math.IsInf(got, 1) {
				t.Errorf("n %d: %v although nothing is known", n, got)
			}
			return
		}
		x.Quo(x, new(big.Rat).Sub(one, x))
		if compare(got, x) < 0 || compare(got, new(big.Rat).Mul(x, rat(1+room))) > 0 {
			t.Errorf("n %d: %v for %v", n, got, x.FloatString(30))
		}
	}
	rng := rand.New(rand.NewPCG(3, 1))
	for range 3000 {
		n := rng.IntN(1 << (1 + rng.IntN(61)))
		if n == 0 {
			continue
		}
		check(n, Unit, Gamma(n), 0x1p-49)
		check(n, Unit32, Gamma32(n), 0x1p-19)
	}
	for _, n := range []int{1, 2, 1<<23 - 1, 1 << 23, 1 << 24, 1<<24 + 1, 1<<52 - 1, 1 << 52, 1 << 53, 1 << 60} {
		check(n, Unit, Gamma(n), 0x1p-49)
		check(n, Unit32, Gamma32(n), 0x1p-19)
	}
}

// TestSumsStayWithinGamma adds products of all sizes in float32 and float64 in random orders, with intermediate results below the normal numbers
// flushed, and compares with the exact sum: what an execution is off is within Gamma of the magnitudes with Tiny.
func TestSumsStayWithinGamma(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 1))
	flush := func(x float32) float32 {
		if math.Abs(float64(x)) < 0x1p-126 {
			return 0
		}
		return x
	}
	worst := 0.0
	for range 400 {
		n, size := 1+rng.IntN(60), rng.IntN(280)-140
		exact, mag := new(big.Rat), new(big.Rat)
		var sum64 float64
		var sum32 float32
		for range n {
			// Rounded always the same way: ones and halves of a unit.
			a, b := float32(math.Ldexp(1+float64(rng.IntN(4))*0x1p-23, size/2)), float32(1+float64(rng.IntN(1<<23))*0x1p-23)
			p := new(big.Rat).Mul(rat(float64(a)), rat(float64(b)))
			exact.Add(exact, p)
			mag.Add(mag, p)
			sum64 += float64(a) * float64(b)
			sum32 = flush(sum32 + flush(a*b))
		}
		m, _ := mag.Float64()
		for _, c := range []struct{ got, room float64 }{{float64(sum32), Gamma32(n+1) * (m + Tiny32)}, {sum64, Gamma(n+1) * (m + Tiny)}} {
			off := new(big.Rat).Sub(rat(c.got), exact)
			if off.Abs(off).Cmp(rat(c.room)) > 0 {
				t.Fatalf("%d terms of 2^%d: off by %v, not within %v", n, size, off.FloatString(60), c.room)
			}
			if f, _ := off.Float64(); c.room > 0 {
				worst = max(worst, f/c.room)
			}
		}
	}
	if worst < 0.05 {
		t.Errorf("at most %v of what is allowed was reached: too tame to break anything", worst)
	}
}

// TestRangesOfFloat32: what is near its end is not known, and NaN never is.
func TestRangesOfFloat32(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, f := range []func(mag, e float64) float64{Within32, Fits32} {
		if f(1, 2) != 2 || f(inf, 2) != inf || f(nan, 2) != inf || f(1, nan) != inf || f(Largest32, 2) != inf {
			t.Error("an error is known where it is not")
		}
	}
	most := Largest32 * (1 - 0x1p-10)
	if Fits32(most, 1) != 1 || math.IsInf(float64(float32(most*(1+Gamma32(1<<13)))), 1) {
		t.Error("a magnitude that fits overflows with 2^13 roundings")
	}
	// Half a million roundings take the sum over the end that fewer leave it below.
	if n := 1 << 19; !math.IsInf(Sum32(n, most), 1) || math.IsInf(Sum32(1<<9, most*(1-0x1p-12)), 1) || Sum32(n, 1) < Gamma32(n) {
		t.Error("a long sum near the largest float32 is known")
	}
	if Within32(Squares32, 1) != 1 || math.IsInf(float64(float32(128*Squares32*Squares32)), 1) {
		t.Error("squares overflow")
	}
}

// TestOppositeInfinities: of what overflowed both ways nothing is known, and it is not 0.
func TestOppositeInfinities(t *testing.T) {
	inf := math.Inf(1)
	for _, x := range []float64{AddUp(inf, -inf), AddUp(-inf, inf), AddDown(inf, -inf), AddDown(-inf, inf)} {
		if !math.IsNaN(x) {
			t.Errorf("the sum of opposite infinities is %v", x)
		}
	}
	if x := AddUp(1, -1); x != 0 || math.Signbit(x) {
		t.Errorf("1 - 1 is %v", x)
	}
}

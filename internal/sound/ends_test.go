package sound

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// TestEndsHoldTheirNumber takes sums, differences and quotients of numbers of all sizes against rationals: the ends of a sum are the neighbours of
// the exact one, and all hold their number.
func TestEndsHoldTheirNumber(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 1))
	open := 0
	for range 50000 {
		a, b := pair(rng)
		e, exact := Sum(a, b), new(big.Rat).Add(rat(a), rat(b))
		if compare(e.Down, exact) > 0 || compare(e.Up, exact) < 0 || e.Down != RatDown(exact) || e.Up != RatUp(exact) {
			t.Fatalf("%v + %v: %v is not between the neighbours %v", a, b, exact, e)
		}
		if f := Float32AboveSum(a, b); compare(float64(f), exact) < 0 || compare(float64(math.Nextafter32(f, float32(math.Inf(-1)))), exact) >= 0 {
			t.Fatalf("%v + %v: float32 above is %v", a, b, f)
		}
		if e.Down != e.Up {
			open++
		}
		m, s := anyFloat(rng), math.Abs(anyFloat(rng))
		if rng.IntN(3) == 0 {
			m = e.Up // the difference is as small as can be
		}
		if s == 0 {
			continue
		}
		d := e.Less(m)
		exact.Sub(exact, rat(m))
		if compare(d.Down, exact) > 0 || compare(d.Up, exact) < 0 {
			t.Fatalf("%v + %v - %v: %v is not in %v", a, b, m, exact, d)
		}
		if math.IsInf(d.Down, 0) || math.IsInf(d.Up, 0) {
			continue
		}
		q := d.Over(s)
		exact.Quo(exact, rat(s))
		if compare(q.Down, exact) > 0 || compare(q.Up, exact) < 0 {
			t.Fatalf("(%v + %v - %v) / %v: %v is not in %v", a, b, m, s, exact, q)
		}
		if d.Down == d.Up && Up(Up(q.Down)) < q.Up {
			t.Fatalf("%v / %v: %v is wide", d, s, q)
		}
	}
	if open < 1000 {
		t.Errorf("only %d sums were no float64s", open)
	}
}

// TestFloat32sOfIntervals: the point that is found lies inside and next to x; where none is found, none was there or x lay outside.
func TestFloat32sOfIntervals(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 1))
	none := 0
	for range 50000 {
		x := anyFloat(rng)
		if rng.IntN(2) == 0 {
			x = float64(float32(min(Largest32, max(-Largest32, x))))
		}
		above := Float32Above(x)
		below := math.Nextafter32(above, float32(math.Inf(-1)))
		if float64(above) < x || float64(below) >= x {
			t.Fatalf("above %v: %v", x, above)
		}
		width := math.Abs(x) * math.Pow(2, -float64(10+rng.IntN(50)))
		lower, upper := x-width*rng.Float64(), x+width*rng.Float64()
		f, ok := Float32In(x, lower, upper)
		switch first := Float32Above(lower); {
		case ok && !(lower <= float64(f) && float64(f) <= upper):
			t.Fatalf("%v is not in [%v, %v]", f, lower, upper)
		case ok && math.Abs(float64(f)-x) > math.Abs(float64(first)-x):
			t.Fatalf("%v is farther from %v than %v", f, x, first)
		case !ok && float64(first) <= upper:
			t.Fatalf("[%v, %v] holds %v, and nothing was found next to %v", lower, upper, first, x)
		case !ok:
			none++
		}
	}
	if none < 1000 {
		t.Errorf("only %d intervals held no float32", none)
	}
	for _, x := range []float64{math.NaN(), 2, -1} {
		if f, ok := Float32In(x, 0, 1); ok {
			t.Errorf("%v of [0, 1] is %v", x, f)
		}
	}
}

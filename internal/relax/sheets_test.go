package relax

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// TestProductSheetsHold compares both planes with the product at the corners, exactly, for boxes of all sizes: there a product less a plane
// has its extremes.
func TestProductSheetsHold(t *testing.T) {
	rng := rand.New(rand.NewPCG(51, 52))
	exact := func(s Sheet, x, y float64) *big.Rat {
		r := func(v float64) *big.Rat { return new(big.Rat).SetFloat64(v) }
		sum := new(big.Rat).Add(new(big.Rat).Mul(r(s.P), r(x)), new(big.Rat).Mul(r(s.Q), r(y)))
		return sum.Add(sum, r(s.C))
	}
	for k := range 20000 {
		size := []float64{1, 1, 1e-3, 1e3, 1e-160, 1e150, 1e-310, 1e300}[k%8]
		ends := func() (l, u float64) {
			p, q := rng.NormFloat64()*size, rng.NormFloat64()*size
			switch rng.IntN(6) {
			case 0:
				p = q
			case 1:
				p = 0
			case 2:
				p = -q
			}
			return min(p, q), max(p, q)
		}
		a, b := ends()
		c, d := ends()
		lo, up := ProductSheets(a, b, c, d)
		for _, s := range []Sheet{lo, up} {
			if math.IsNaN(s.P+s.Q+s.C) || math.IsInf(s.P+s.Q, 0) {
				t.Fatalf("[%v, %v] x [%v, %v]: %v", a, b, c, d, s)
			}
		}
		for _, x := range []float64{a, b} {
			for _, y := range []float64{c, d} {
				xy := new(big.Rat).Mul(new(big.Rat).SetFloat64(x), new(big.Rat).SetFloat64(y))
				if !math.IsInf(lo.C, -1) && exact(lo, x, y).Cmp(xy) > 0 {
					t.Fatalf("[%v, %v] x [%v, %v]: %v is over the product at (%v, %v)", a, b, c, d, lo, x, y)
				}
				if !math.IsInf(up.C, 1) && exact(up, x, y).Cmp(xy) < 0 {
					t.Fatalf("[%v, %v] x [%v, %v]: %v is under the product at (%v, %v)", a, b, c, d, up, x, y)
				}
			}
		}
	}
}

// TestProductSheetsFallTheLeast tries other means of McCormick's planes: none is nearer at the centre, none has a greater least value.
func TestProductSheetsFallTheLeast(t *testing.T) {
	rng := rand.New(rand.NewPCG(53, 54))
	least := func(s Sheet, a, b, c, d float64) float64 { return min(s.P*a, s.P*b) + min(s.Q*c, s.Q*d) + s.C }
	for range 2000 {
		a, c := rng.NormFloat64(), rng.NormFloat64()
		b, d := a+rng.Float64()*2, c+rng.Float64()*2
		lo, up := ProductSheets(a, b, c, d)
		x, y := (a+b)/2, (c+d)/2
		room := (b - a) * (d - c) / 4
		if gap := x*y - lo.P*x - lo.Q*y - lo.C - room; math.Abs(gap) > 1e-12 {
			t.Fatalf("[%v, %v] x [%v, %v]: lower plane off by %v at the centre", a, b, c, d, gap)
		}
		if gap := up.P*x + up.Q*y + up.C - x*y - room; math.Abs(gap) > 1e-12 {
			t.Fatalf("[%v, %v] x [%v, %v]: upper plane off by %v at the centre", a, b, c, d, gap)
		}
		for k := range 101 {
			s := float64(k) / 100
			other := Sheet{s*c + (1-s)*d, s*a + (1-s)*b, -s*a*c - (1-s)*b*d}
			if v, w := least(lo, a, b, c, d), least(other, a, b, c, d); v < w-1e-12 {
				t.Fatalf("[%v, %v] x [%v, %v]: least value %v, share %v has %v", a, b, c, d, v, s, w)
			}
			other = Sheet{s*d + (1-s)*c, s*a + (1-s)*b, -s*a*d - (1-s)*b*c}
			minus := func(p Sheet) Sheet { return Sheet{-p.P, -p.Q, -p.C} }
			if v, w := least(minus(up), a, b, c, d), least(minus(other), a, b, c, d); v < w-1e-12 {
				t.Fatalf("[%v, %v] x [%v, %v]: greatest value %v, share %v has %v", a, b, c, d, -v, s, -w)
			}
		}
	}
}

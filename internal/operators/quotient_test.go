package operators

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
)

// TestQuotientSheetsHold compares both planes with the quotient at corners, along the edges and inside, in rational arithmetic.
func TestQuotientSheetsHold(t *testing.T) {
	rng := rand.New(rand.NewPCG(81, 82))
	w := onePair()
	r := func(v float64) *big.Rat { return new(big.Rat).SetFloat64(v) }
	planes := 0
	for k := range rounds(8000) {
		size := []float64{1, 1, 1e-3, 1e3, 1e-150, 1e140, 1e-300, 1e300}[k%8]
		a, c := rng.NormFloat64()*size, rng.ExpFloat64()*[]float64{1, size}[k/8%2]
		b, d := a+rng.ExpFloat64()*math.Abs(a), c+rng.ExpFloat64()*c*[]float64{1, 1e-6, 100}[k%3]
		switch rng.IntN(6) {
		case 0:
			b = a
		case 1:
			d = c
		case 2:
			a = -b
		}
		if k%2 == 0 {
			c, d = -d, -c
		}
		a, b = min(a, b), max(a, b)
		lo, up := quotientSheets(a, b, c, d, w)
		for _, x := range []float64{a, b, a + (b-a)*rng.Float64()} {
			for _, y := range []float64{c, d, c + (d-c)*rng.Float64(), c + (d-c)/2} {
				if !(x >= a && x <= b && y >= c && y <= d) || y == 0 {
					continue
				}
				truth := new(big.Rat).Quo(r(x), r(y))
				for i, s := range []relax.Sheet{lo, up} {
					if !sound.Finite(s.C) {
						continue
					}
					planes++
					v := new(big.Rat).Add(new(big.Rat).Mul(r(s.P), r(x)), new(big.Rat).Mul(r(s.Q), r(y)))
					if cmp := v.Add(v, r(s.C)).Cmp(truth); i == 0 && cmp > 0 || i == 1 && cmp < 0 {
						t.Fatalf("[%v, %v] / [%v, %v], plane %d: %v at (%v, %v)", a, b, c, d, i, s, x, y)
					}
				}
			}
		}
	}
	least := 100000
	if testing.Short() {
		least = 20000
	}
	if planes < least {
		t.Errorf("only %d comparisons", planes)
	}
}

// TestQuotientSheetsAreTight: the planes are off by the square of the width.
func TestQuotientSheetsAreTight(t *testing.T) {
	w := onePair()
	for _, at := range [][2]float64{{1, 2}, {-3, 0.5}, {0, 1}, {2, -1}} {
		for _, e := range []float64{1e-2, 1e-4} {
			x, y := at[0], at[1]
			lo, up := quotientSheets(x-e, x+e, y-e, y+e, w)
			if gap := (up.P-lo.P)*x + (up.Q-lo.Q)*y + up.C - lo.C; !(gap < 200*e*e+1e-12) {
				t.Errorf("%v with width %v: gap %v", at, e, gap)
			}
		}
	}
}

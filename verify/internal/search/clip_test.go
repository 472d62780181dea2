package search

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/shallow-waters/shoal/verify/internal/bound"
)

// TestClipKeepsWhatMeetsTheConstraint draws boxes and half-spaces of all scales, and points of both, in exact arithmetic: none may be cut
// away. Points on the border of the half-space are the adversary.
func TestClipKeepsWhatMeetsTheConstraint(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 15))
	scale := func() float64 { return math.Ldexp(rng.NormFloat64(), rng.IntN(40)-20) }
	cut, empty, kept := 0, 0, 0
	for round := range 200_000 {
		n := 1 + rng.IntN(4)
		box := bound.Box{Lower: make([]float64, n), Upper: make([]float64, n)}
		a := make([]float64, n)
		x := make([]float64, n)
		sum := new(big.Rat)
		for i := range n {
			l, u := scale(), scale()
			if rng.IntN(8) == 0 {
				u = l
			}
			box.Lower[i], box.Upper[i] = min(l, u), max(l, u)
			if rng.IntN(5) > 0 {
				a[i] = scale()
			}
			x[i] = max(box.Lower[i], min(box.Upper[i], box.Lower[i]+rng.Float64()*(box.Upper[i]-box.Lower[i])))
			switch rng.IntN(4) {
			case 0:
				x[i] = box.Lower[i]
			case 1:
				x[i] = box.Upper[i]
			}
			sum.Add(sum, new(big.Rat).Mul(new(big.Rat).SetFloat64(a[i]), new(big.Rat).SetFloat64(x[i])))
		}
		c := scale()
		sum.Add(sum, new(big.Rat).SetFloat64(c))
		// The least float64 that is not below the form's value at x: x meets the constraint, narrowly.
		limit, exact := sum.Float64()
		if !exact && new(big.Rat).SetFloat64(limit).Cmp(sum) < 0 {
			limit = math.Nextafter(limit, math.Inf(1))
		}
		if rng.IntN(3) == 0 {
			limit += math.Abs(scale())
		}
		was := bound.Box{Lower: slices.Clone(box.Lower), Upper: slices.Clone(box.Upper)}
		if !clip(box, a, c, limit) {
			t.Fatalf("round %d: nothing is left of %v by %v*x + %v <= %v, and %v meets it", round, was, a, c, limit, x)
		}
		for i := range x {
			if x[i] < box.Lower[i] || x[i] > box.Upper[i] {
				t.Fatalf("round %d: %v is cut from %v to %v by %v*x + %v <= %v", round, x, was, box, a, c, limit)
			}
			if box.Lower[i] < was.Lower[i] || box.Upper[i] > was.Upper[i] {
				t.Fatalf("round %d: %v grew to %v", round, was, box)
			}
			if box.Lower[i] > was.Lower[i] || box.Upper[i] < was.Upper[i] {
				cut++
			}
		}
		kept++
		if !clip(bound.Box{Lower: slices.Clone(was.Lower), Upper: slices.Clone(was.Upper)}, a, c, limit-math.Abs(scale())) {
			empty++
		}
	}
	if cut < kept/10 || empty < kept/100 {
		t.Errorf("%d sides cut and %d boxes emptied of %d: the test shows little", cut, empty, kept)
	}
}

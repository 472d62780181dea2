package verify

import (
	"fmt"
	"math"
	"math/big"
	"slices"

	"github.com/shallow-waters/shoal/verify/vnnlib"
)

// FromVNNLIB turns a query into a property. Boxes are rounded outward for proofs and inward for counterexamples; boxes that cases
// share stay shared.
func FromVNNLIB(q *vnnlib.Query) Property {
	type rounded struct {
		outer Box
		inner *Box
	}
	boxes := map[[2]**big.Rat]rounded{}
	var p Property
	if q == nil {
		return Property{Cases: []Case{{fault: fmt.Errorf("%w: there is no query", ErrInput)}}}
	}
	for i, c := range q.Cases {
		if len(c.Lower) == 0 || len(c.Lower) != len(c.Upper) || slices.Contains(c.Lower, nil) || slices.Contains(c.Upper, nil) {
			p.Cases = append(p.Cases, Case{fault: fmt.Errorf("%w: case %d has a box of %d and %d ends, or one without a number", ErrInput, i, len(c.Lower), len(c.Upper))})
			continue
		}
		key := [2]**big.Rat{&c.Lower[0], &c.Upper[0]}
		b, ok := boxes[key]
		if !ok {
			n := len(c.Lower)
			b = rounded{outer: Box{Lower: make([]float64, n), Upper: make([]float64, n)}, inner: &Box{Lower: make([]float64, n), Upper: make([]float64, n)}}
			for i := range n {
				b.outer.Lower[i], b.outer.Upper[i] = roundDown(c.Lower[i]), roundUp(c.Upper[i])
				b.inner.Lower[i], b.inner.Upper[i] = roundUp(c.Lower[i]), roundDown(c.Upper[i])
			}
			boxes[key] = b
		}
		k := Case{Box: b.outer, Inner: b.inner}
		for _, a := range c.Atoms {
			k.Constraints = append(k.Constraints, Constraint{Index: a.Index, Coef: a.Coef, Bound: a.Bound, Strict: a.Strict})
		}
		p.Cases = append(p.Cases, k)
	}
	return p
}

// roundDown is the greatest float64 that is not above r.
func roundDown(r *big.Rat) float64 {
	f, exact := nearest(r)
	if exact || math.IsInf(f, -1) {
		return f
	}
	if math.IsInf(f, 1) { // r is finite, and so has a float64 below it
		return math.MaxFloat64
	}
	if new(big.Rat).SetFloat64(f).Cmp(r) > 0 {
		f = math.Nextafter(f, math.Inf(-1))
	}
	return f
}

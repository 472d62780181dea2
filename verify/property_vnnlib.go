package verify

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/verify/vnnlib"
)

// FromVNNLIB turns a query into a property of the network of NetworkOf. Boxes are rounded outward for proofs and inward for counterexamples; boxes
// that cases share stay shared.
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
	free := q.Free()
	for i, c := range q.Cases {
		if len(c.Lower) == 0 || len(c.Lower) != len(c.Upper) || slices.Contains(c.Lower, nil) || slices.Contains(c.Upper, nil) ||
			q.Shared != nil && (len(q.Shared) != q.Inputs || len(c.Lower) != q.Inputs) {
			p.Cases = append(p.Cases, Case{fault: fmt.Errorf("%w: case %d has a box of %d and %d ends, or one without a number",
				ErrInput, i, len(c.Lower), len(c.Upper))})
			continue
		}
		key := [2]**big.Rat{&c.Lower[0], &c.Upper[0]}
		b, ok := boxes[key]
		if !ok {
			n := len(c.Lower)
			if q.Shared != nil {
				n = len(free)
			}
			b = rounded{outer: Box{Lower: make([]float64, n), Upper: make([]float64, n)}, inner: &Box{Lower: make([]float64, n), Upper: make([]float64, n)}}
			for i := range n {
				k := i
				if q.Shared != nil {
					k = free[i]
				}
				b.outer.Lower[i], b.outer.Upper[i] = sound.RatDown(c.Lower[k]), sound.RatUp(c.Upper[k])
				b.inner.Lower[i], b.inner.Upper[i] = sound.RatUp(c.Lower[k]), sound.RatDown(c.Upper[k])
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

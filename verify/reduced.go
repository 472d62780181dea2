package verify

import (
	"math/big"
	"slices"

	"github.com/shallow-waters/shoal/onnxio"
)

// alike gives every flat output the first one that is the same element of the same value; nil where no value is an output twice.
func alike(outputs []*onnxio.Value) []int {
	var same []int
	first := map[*onnxio.Value]int{}
	at, twice := 0, false
	for _, y := range outputs {
		n := onnxio.NumElements(y.Shape)
		if y.Const != nil {
			n = y.Const.Len()
		}
		from, seen := first[y]
		if !seen {
			from, first[y] = at, at
		}
		twice = twice || seen
		for i := range n {
			same = append(same, from+i)
		}
		at += n
	}
	if !twice {
		return nil
	}
	return same
}

// reduced is a constraint in which coefficients of the same value are added, exactly: what is subtracted from itself is gone, and no rounding stands
// in its place.
func (v *Verifier) reduced(q Constraint) Constraint {
	if v.same == nil {
		return q
	}
	sums := map[int]*big.Rat{}
	for k, i := range q.Index {
		if i < 0 || i >= len(v.same) || q.Coef[k] == nil {
			return q // whoever makes a row of it says so
		}
		at := v.same[i]
		if sums[at] == nil {
			sums[at] = new(big.Rat)
		}
		sums[at].Add(sums[at], q.Coef[k])
	}
	out := Constraint{Bound: q.Bound, Strict: q.Strict}
	for i, c := range sums {
		if c.Sign() != 0 {
			out.Index = append(out.Index, i)
		}
	}
	slices.Sort(out.Index)
	for _, i := range out.Index {
		out.Coef = append(out.Coef, sums[i])
	}
	return out
}

package vnnlib

import (
	"math/big"
	"slices"
)

// What VNN-LIB 2.x may say of inputs beyond bounds. Inputs that are equal in every case are one; what else relates inputs to each other or to outputs
// becomes a constraint on copies of the inputs among the outputs, and gives bounds where a file states none.

// inputsOnly tells that a comparison speaks of inputs and nothing else.
func (a *linear) inputsOnly() bool { return len(a.terms) > 0 && a.terms[0].v >= 0 }

// beside tells that inputs stand in it.
func (a *linear) beside() bool { return len(a.terms) > 0 && a.terms[len(a.terms)-1].v >= 0 }

// unite finds the inputs that comparisons which hold in every case make equal, a <= b and b <= a, and puts one for all everywhere.
func (p *parser) unite(q *Query, common *partial, cases []partial) {
	type pair struct{ a, b int }
	seen := map[pair]bool{}
	first := map[int]int{}
	var find func(v int) int
	find = func(v int) int {
		if w, ok := first[v]; ok && w != v {
			r := find(w)
			first[v] = r
			return r
		}
		return v
	}
	for _, a := range common.atoms {
		if len(a.terms) != 2 || !a.inputsOnly() || a.strict || a.konst.Sign() != 0 || new(big.Rat).Add(a.terms[0].c, a.terms[1].c).Sign() != 0 {
			continue
		}
		less := pair{a.terms[0].v, a.terms[1].v} // terms[0] <= terms[1]
		if a.terms[0].c.Sign() < 0 {
			less = pair{less.b, less.a}
		}
		seen[less] = true
		if seen[pair{less.b, less.a}] {
			x, y := find(less.a), find(less.b)
			first[max(x, y)] = min(x, y)
		}
	}
	if len(first) > 0 {
		q.Shared = make([]int, q.Inputs)
		for i := range q.Shared {
			q.Shared[i] = find(i)
		}
	}
	for _, c := range append(slices.Clone(cases), *common) {
		for _, a := range append(slices.Clone(c.bounds), c.atoms...) {
			a.replace(q.Shared)
		}
	}
	sort := func(c *partial) {
		kept := c.atoms[:0:0]
		for _, a := range c.atoms {
			switch {
			case len(a.terms) == 1 && a.inputsOnly():
				c.bounds = append(c.bounds, a)
				if a.strict {
					kept = append(kept, a)
				}
			case len(a.terms) == 0 && a.konst.Sign() <= 0 && !(a.strict && a.konst.Sign() == 0): // true of any point
			default:
				kept = append(kept, a)
			}
		}
		c.atoms = kept
	}
	sort(common)
	for i := range cases {
		sort(&cases[i])
	}
}

// replace puts the one input for all that are equal.
func (a *linear) replace(shared []int) {
	if shared == nil || !a.beside() {
		return
	}
	sum := &linear{konst: a.konst}
	for _, t := range a.terms {
		if t.v >= 0 {
			t.v = shared[t.v]
		}
		sum = sum.minus((&linear{konst: new(big.Rat), terms: []term{t}}).scale(minusOne))
	}
	a.terms = sum.terms
}

// maxPasses limits how often bounds are looked for: each pass may give what the next one needs.
const maxPasses = 16

// imply fills in bounds that are missing where comparisons between inputs give them. What is left out makes the box larger, and never smaller than
// what the case says: the comparisons stay.
func (x *box) imply(atoms ...[]*linear) {
	for range maxPasses {
		changed := false
		for _, list := range atoms {
			for _, a := range list {
				if a.inputsOnly() && x.implied(a) {
					changed = true
				}
			}
		}
		if !changed {
			return
		}
	}
}

// implied solves a comparison for inputs that lack the bound that it gives.
func (x *box) implied(a *linear) (changed bool) {
	for i, t := range a.terms {
		upper := t.c.Sign() > 0
		if upper && x.upper[t.v] != nil || !upper && x.lower[t.v] != nil {
			continue
		}
		rest, known := new(big.Rat).Neg(a.konst), true // c*x <= -konst - the least of the others
		for k, o := range a.terms {
			if k == i {
				continue
			}
			end := x.lower[o.v]
			if o.c.Sign() < 0 {
				end = x.upper[o.v]
			}
			if end == nil {
				known = false
				break
			}
			rest.Sub(rest, new(big.Rat).Mul(o.c, end))
		}
		if !known {
			continue
		}
		rest.Quo(rest, t.c)
		f, _ := rest.Float64()
		if upper {
			x.upper[t.v], x.up[t.v] = rest, f
		} else {
			x.lower[t.v], x.lo[t.v] = rest, f
		}
		changed = true
	}
	return changed
}

// spread gives inputs that are equal to others their bounds.
func (x *box) spread(shared []int) {
	for i, r := range shared {
		x.lower[i], x.upper[i], x.lo[i], x.up[i] = x.lower[r], x.upper[r], x.lo[r], x.up[r]
	}
}

// open tells whether some input lacks a bound.
func (x *box) open() bool { return slices.Contains(x.lower, nil) || slices.Contains(x.upper, nil) }

// empty tells whether no point is in it.
func (x *box) empty() bool {
	for i := range x.lower {
		if x.lower[i] != nil && x.upper[i] != nil && less(x.upper[i], x.up[i], x.lower[i], x.lo[i]) {
			return true
		}
	}
	return false
}

// atom is the constraint of a comparison; inputs get copies among the outputs.
func (q *Query) atom(a *linear, copies map[int]int) Atom {
	out := Atom{Bound: new(big.Rat).Neg(a.konst), Strict: a.strict}
	add := func(index int, c *big.Rat) { out.Index, out.Coef = append(out.Index, index), append(out.Coef, c) }
	for t := len(a.terms) - 1; t >= 0; t-- {
		if v := a.terms[t].v; v < 0 {
			add(-1-v, a.terms[t].c)
		}
	}
	from := len(out.Index)
	for _, t := range a.terms {
		if t.v < 0 {
			continue
		}
		k, ok := copies[t.v]
		if !ok {
			k = len(q.Copies)
			copies[t.v], q.Copies = k, append(q.Copies, t.v)
		}
		add(q.Outputs+k, t.c)
	}
	// Copies are numbered in the order of their first use; indices ascend.
	for i := from + 1; i < len(out.Index); i++ {
		for k := i; k > from && out.Index[k] < out.Index[k-1]; k-- {
			out.Index[k], out.Index[k-1] = out.Index[k-1], out.Index[k]
			out.Coef[k], out.Coef[k-1] = out.Coef[k-1], out.Coef[k]
		}
	}
	return out
}

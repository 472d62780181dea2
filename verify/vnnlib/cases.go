package vnnlib

import (
	"fmt"
	"math/big"
	"slices"
)

// maxCases limits the disjunctive form: a conjunction of many disjunctions multiplies.
const maxCases = 200_000

// maxBounds limits the boxes of all cases together (1 GB), since few bytes can ask for many boxes of many inputs.
const maxBounds = 1 << 26

// fewInputs may be declared whatever else stands in a file. Of more, each needs a byte at least, so that a line cannot ask for gigabytes.
const fewInputs = 1 << 20

// partial is a case on its way: bounds narrowed by this branch alone, and its atoms on the outputs.
type partial struct {
	bounds []*linear // atoms on one input
	atoms  []*linear
}

// numbered checks that the variables of VNN-LIB 1.0 are X_0 to X_n and Y_0 to Y_m.
func (p *parser) numbered(q *Query) error {
	p.at = len(p.data)
	for name, set := range map[string]map[int]bool{"X": p.inputs, "Y": p.outputs} {
		for i := range set {
			if i >= len(set) {
				return p.errorf(false, "%s_%d is declared, but only %d of %s_0 to %s_%d", name, i, len(set), name, name, i)
			}
		}
	}
	if q.Inputs == 0 || q.Outputs == 0 {
		return p.errorf(false, "%d inputs and %d outputs are declared", q.Inputs, q.Outputs)
	}
	return nil
}

func (p *parser) query() (*Query, error) {
	q := &Query{Inputs: len(p.inputs), Outputs: len(p.outputs), Version: "1.0", Asserts: len(p.asserts)}
	if d := p.declared; d != nil {
		q.Inputs, q.Outputs, q.Version, q.Networks = d.inputs, d.values, d.version, d.networks
	} else if err := p.numbered(q); err != nil {
		return nil, err
	}
	if q.Inputs > max(fewInputs, len(p.data)) {
		return nil, p.errorf(true, "%d inputs in a file of %d bytes, which cannot bound them all", q.Inputs, len(p.data))
	}
	// What stands at the top belongs to every case: the box is made once from it.
	whole := newBox(q.Inputs)
	var common partial
	cases := []partial{{}}
	for _, f := range p.asserts {
		ds, err := p.disjuncts(f)
		if err != nil {
			return nil, err
		}
		if len(ds) == 1 {
			common.bounds = append(common.bounds, ds[0].bounds...)
			common.atoms = append(common.atoms, ds[0].atoms...)
			continue
		}
		if cases, err = p.product(cases, ds); err != nil {
			return nil, err
		}
	}
	if p.declared != nil {
		p.unite(q, &common, cases)
	}
	if whole.narrow(common.bounds) {
		cases = nil
	}
	if whole.imply(common.atoms); whole.empty() {
		cases = nil
	}
	whole.spread(q.Shared)
	apart := p.declared != nil && whole.open() // each case has to bound what is open
	own := 0
	for _, c := range cases {
		if apart || len(c.bounds) > 0 {
			own++
		}
	}
	if own > maxBounds/max(1, q.Inputs) {
		return nil, &Error{Line: 1, Col: 1, Unsupported: true, Why: fmt.Sprintf("%d boxes of %d inputs: more than %d bounds", own, q.Inputs, maxBounds)}
	}
	part := newBox(q.Inputs) // its floats serve case after case
	copies := map[int]int{}
	for _, c := range cases {
		b := whole
		if apart || len(c.bounds) > 0 {
			b = part
			b.lower, b.upper = slices.Clone(whole.lower), slices.Clone(whole.upper)
			copy(b.lo, whole.lo)
			copy(b.up, whole.up)
			if b.narrow(c.bounds) {
				continue
			}
			if b.imply(common.atoms, c.atoms); b.empty() {
				continue
			}
		}
		if err := p.closed(q, b); err != nil {
			return nil, err
		}
		k := Case{Lower: b.lower, Upper: b.upper}
		possible := true
		for _, a := range append(slices.Clone(common.atoms), c.atoms...) {
			if len(a.terms) == 0 { // of inputs that are equal
				if s := a.konst.Sign(); s > 0 || s == 0 && a.strict {
					possible = false
				}
				continue
			}
			k.Atoms = append(k.Atoms, q.atom(a, copies))
		}
		if possible {
			q.Cases = append(q.Cases, k)
		}
	}
	return q, nil
}

// closed checks that every input has two bounds, and gives those that are equal to others theirs.
func (p *parser) closed(q *Query, b *box) error {
	b.spread(q.Shared)
	for i := range b.lower {
		if b.lower[i] == nil || b.upper[i] == nil {
			p.at = len(p.data)
			return p.errorf(true, "%s is not bounded on both sides", q.input(i))
		}
	}
	return nil
}

// disjuncts is the disjunctive form of one formula.
func (p *parser) disjuncts(f *formula) ([]partial, error) {
	if f.atom != nil {
		return p.atom(f.atom)
	}
	if f.or {
		var out []partial
		for _, k := range f.kids {
			ds, err := p.disjuncts(k)
			if err != nil {
				return nil, err
			}
			if out = append(out, ds...); len(out) > maxCases {
				return nil, p.tooMany()
			}
		}
		return out, nil
	}
	out := []partial{{}}
	for _, k := range f.kids {
		ds, err := p.disjuncts(k)
		if err != nil {
			return nil, err
		}
		if out, err = p.product(out, ds); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (p *parser) tooMany() error {
	return &Error{Line: 1, Col: 1, Unsupported: true, Why: fmt.Sprintf("more than %d cases", maxCases)}
}

// product is the conjunction of two disjunctive forms.
func (p *parser) product(a, b []partial) ([]partial, error) {
	if len(a)*len(b) > maxCases {
		return nil, p.tooMany()
	}
	if len(b) == 1 && len(a) == 1 {
		a[0].bounds = append(a[0].bounds, b[0].bounds...)
		a[0].atoms = append(a[0].atoms, b[0].atoms...)
		return a, nil
	}
	out := make([]partial, 0, len(a)*len(b))
	for _, x := range a {
		for _, y := range b {
			out = append(out, partial{
				bounds: append(slices.Clone(x.bounds), y.bounds...),
				atoms:  append(slices.Clone(x.atoms), y.atoms...),
			})
		}
	}
	return out, nil
}

// atom sorts an atom: a bound of one input, or a constraint on outputs. Others cannot be treated.
func (p *parser) atom(a *linear) ([]partial, error) {
	if len(a.terms) == 0 { // a comparison of numbers
		if s := a.konst.Sign(); s > 0 || s == 0 && a.strict {
			return nil, nil
		}
		return []partial{{}}, nil
	}
	inputs, outputs := 0, 0
	for _, t := range a.terms {
		if t.v >= 0 {
			inputs++
		} else {
			outputs++
		}
	}
	p.at = a.at
	switch {
	case p.declared != nil && (inputs > 1 || inputs > 0 && (outputs > 0 || a.strict)):
		return []partial{{atoms: []*linear{a}}}, nil
	case inputs > 0 && outputs > 0:
		return nil, p.errorf(true, "a comparison between inputs and outputs")
	case inputs > 1:
		return nil, p.errorf(true, "a comparison between inputs")
	case inputs == 1:
		if a.strict {
			return nil, p.errorf(true, "a strict bound of an input")
		}
		return []partial{{bounds: []*linear{a}}}, nil
	}
	return []partial{{atoms: []*linear{a}}}, nil
}

// box is a box of inputs on its way: nil where nothing is known yet. lo and up are the bounds to nearest in float64, so that
// most comparisons need no exact arithmetic.
type box struct {
	lower, upper []*big.Rat
	lo, up       []float64
}

func newBox(n int) *box {
	return &box{make([]*big.Rat, n), make([]*big.Rat, n), make([]float64, n), make([]float64, n)}
}

// less tells whether x < y; f and g are x and y to nearest.
func less(x *big.Rat, f float64, y *big.Rat, g float64) bool {
	if f != g {
		return f < g
	}
	return x.Cmp(y) < 0
}

// narrow cuts the box with bounds; all of them hold. It tells whether the box became empty.
func (x *box) narrow(bounds []*linear) (empty bool) {
	for _, b := range bounds {
		t := b.terms[0]
		n := b.value
		if n == nil { // c*x + konst <= 0
			r := new(big.Rat).Neg(b.konst)
			r.Quo(r, t.c)
			f, _ := r.Float64()
			n = &number{r: r, f: f}
		}
		v := t.v
		if t.c.Sign() > 0 {
			if x.upper[v] == nil || less(n.r, n.f, x.upper[v], x.up[v]) {
				x.upper[v], x.up[v] = n.r, n.f
			}
		} else if x.lower[v] == nil || less(x.lower[v], x.lo[v], n.r, n.f) {
			x.lower[v], x.lo[v] = n.r, n.f
		}
		if x.lower[v] != nil && x.upper[v] != nil && less(x.upper[v], x.up[v], x.lower[v], x.lo[v]) {
			empty = true
		}
	}
	return empty
}

var one, minusOne = big.NewRat(1, 1), big.NewRat(-1, 1)

package weave

import (
	"github.com/shallow-waters/shoal/internal/plain"
	"github.com/shallow-waters/shoal/verify/certificate"
)

// guide is, by case, the tree of what a search's rows proved, as far as it is known: of each case's last level. Where a side is missing the weaver
// goes on by itself.
func guide(cases []*open, found []Row) map[int]*refutation {
	out := map[int]*refutation{}
	for _, c := range cases {
		last := -1
		for _, f := range found {
			if f.Case == c.number {
				last = max(last, f.Level)
			}
		}
		root := &refutation{hinge: -1}
		for i, f := range found {
			if f.Case != c.number || f.Level != last {
				continue
			}
			switch at := root.grow(f.Path); {
			case at == nil:
			case f.Half:
				at.halfs = append(at.halfs, &found[i])
			case at.hinge < 0:
				at.row = &found[i]
			}
		}
		if last >= 0 {
			out[c.number] = root
		}
	}
	return out
}

// cases gives every open case a tree of its own, by what guides it.
func (w *weaver) cases(s *plain.State, cases []*open, depth int) error {
	if len(cases) > 1 {
		if err := w.out.Write(certificate.Step{Kind: certificate.Apart}); err != nil {
			return err
		}
	}
	fresh := w.fresh
	for _, c := range cases {
		w.fresh = fresh
		if err := w.guided(s, inherit([]*open{c})[0], w.rows[c.number], nil, depth); err != nil {
			return err
		}
	}
	return nil
}

// guided proves a case on a part where some turns have led, as a search did.
func (w *weaver) guided(s *plain.State, c *open, tree *refutation, turns []Turn, depth int) error {
	if err := w.ready(depth); err != nil {
		return err
	}
	if s.Empty() {
		return w.empty()
	}
	if tree == nil {
		return w.sides(s, inherit([]*open{c}), depth+1)
	}
	for _, h := range tree.halfs {
		var err error
		if s, err = w.met(s, c, h, turns); err != nil {
			return err
		}
	}
	if tree.hinge < 0 {
		if tree.row == nil {
			return w.sides(s, inherit([]*open{c}), depth+1)
		}
		return w.row(s, c, tree.row, turns, depth)
	}
	value, index := w.read(tree.hinge)
	if value < 0 {
		return w.sides(s, inherit([]*open{c}), depth+1)
	}
	switch lower, upper := s.Range(w.values[value], index); {
	case upper <= tree.at: // it has the side already, and the other is not there
		return w.guided(s, c, tree.side[0], turns, depth)
	case lower >= tree.at:
		return w.guided(s, c, tree.side[1], turns, depth)
	}
	if err := w.out.Write(certificate.Step{Kind: certificate.Neuron, Value: value, Index: index, At: tree.at}); err != nil {
		return err
	}
	below, above := s.Halves(w.values[value], index, tree.at)
	for i, half := range []*plain.State{below, above} {
		w.fresh = false
		more := append(turns[:len(turns):len(turns)], Turn{Hinge: tree.hinge, At: tree.at, On: i == 1})
		if err := w.guided(half, c, tree.side[i], more, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// met bounds a part anew, over the half-space of the last row that said where its case can be met, and goes on to where the next one says so.
func (w *weaver) met(s *plain.State, c *open, f *Row, turns []Turn) (*plain.State, error) {
	s, err := w.anew(s)
	if err != nil || s.Empty() {
		return s, err
	}
	p, ok := w.ascend(s, w.own(s), nil, nil).with(f, turns).parameters(c.number)
	if !ok {
		return s, nil
	}
	next, err := s.Within(w.p.Cases[c.number].Constraints, p)
	if err != nil {
		return s, err
	}
	w.fresh = false
	return next, w.out.Write(certificate.Step{Kind: certificate.Half, Proofs: []certificate.Disproof{p}})
}

// with takes over what a row was found with. What it leaves to the checker stays, and so do multipliers of sides that covers around have given.
func (a *ascent) with(f *Row, turns []Turn) *ascent {
	at := map[Turn]float64{}
	for i, t := range f.Path {
		at[t] = f.Beta[i]
	}
	for i, t := range turns {
		a.beta[len(a.beta)-len(turns)+i] = at[t]
	}
	for i, x := range f.Slopes {
		if x <= plain.Steep {
			a.alpha[i] = float64(x) / plain.Steep
		}
	}
	a.weight = append([]float64(nil), f.Weights...)
	return a
}

// row disproves the case of a part by a row that a search found: over what is known there, or once it is bounded anew, or with parameters that
// are moved from there on.
func (w *weaver) row(s *plain.State, c *open, f *Row, turns []Turn, depth int) error {
	a := w.ascend(s, nil, nil, nil).with(f, turns)
	c = inherit([]*open{c})[0]
	c.alpha, c.beta, c.weight = a.alpha, a.beta, a.weight
	for _, anew := range []bool{false, true} {
		steps := 0
		if anew {
			var err error
			if s, err = w.anew(s); err != nil {
				return err
			}
			if s.Empty() {
				return w.empty()
			}
			steps = partSteps
		}
		done, err := w.climb(s, c, steps)
		if err != nil {
			return err
		}
		if done {
			_, err = w.close([]*open{c}, []bool{true})
			return err
		}
	}
	return w.split(s, []*open{c}, depth)
}

package weave

import (
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/plain"
	"github.com/shallow-waters/shoal/verify/certificate"
	"github.com/shallow-waters/shoal/verify/internal/record"
)

// Found is what proved a part of a search over sides of hinges, and Turn a side of one.
type (
	Found = record.Found
	Turn  = record.Turn
)

// End is with which slopes, as a certificate has them, an end of a hinge was bounded over the whole box.
type End struct {
	Hinge int
	Upper bool
}

// Row is what a search over sides says of a case on the part that it was searching when turns had led to it: a row disproves it there, or, of Half,
// leaves a half-space where it can be met, over which the parts of the part are bounded. Rows stand in the order in which the search had them.
type Row struct {
	Case, Level int
	Path        []Turn
	Beta        []float64 // by turn
	Slopes      []byte    // of all hinges, as a certificate has them
	Weights     []float64 // of the case's constraints
	Half        bool
}

// Size is about how many numbers it has.
func (r *Row) Size() int { return 8 + len(r.Path) + len(r.Beta) + len(r.Slopes)/8 + len(r.Weights) }

// Findings are what a search finds of a box of the property: proofs of parts by linear programs or by rows, slopes of ends, and covers of ends.
type Findings struct {
	Proofs []Found
	Rows   []Row
	Ends   map[End][]byte
	Covers map[End]Cover
}

// Search gives what it finds of a box of the property.
type Search func(box int) (Findings, error)

// refutation is a tree of turns whose leaves disprove a case.
type refutation struct {
	hinge int // at which it forks, as Turn counts; of leaves -1
	at    float64
	side  [2]*refutation
	proof *Found
	row   *Row   // of a leaf too, where rows prove it
	halfs []*Row // what is said of where the case can be met on the part, one after the other
}

// at is on which side of a fork a turn leads.
func at(t Turn) int {
	if t.On {
		return 1
	}
	return 0
}

// searched are the trees of what a search finds of a box that moved slopes alone do not prove.
func (w *weaver) searched(s *plain.State, box int, cases []*open, found Search, always bool) (map[int]*refutation, error) {
	if found == nil {
		return nil, nil
	}
	s, err := s.Bound(true)
	if err != nil || s.Empty() {
		return nil, err
	}
	if !always {
		if proven, err := w.settled(s, inherit(cases)); proven || err != nil {
			return nil, err
		}
	}
	list, err := found(box)
	return w.take(cases, list), err
}

// take goes on from what a search found, and gives the trees of what linear programs did.
func (w *weaver) take(cases []*open, list Findings) map[int]*refutation {
	w.opened, w.ends, w.covers = true, list.Ends, list.Covers
	w.rows = guide(cases, slices.DeleteFunc(slices.Clone(list.Rows), func(r Row) bool {
		return len(r.Slopes) != w.net.Hinges() || len(r.Beta) != len(r.Path)
	}))
	return refutations(cases, slices.DeleteFunc(slices.Clone(list.Proofs), func(f Found) bool { return len(f.Slopes) != w.net.Hinges() }))
}

// refutations are, by case, the trees of what was found, where they are whole.
func refutations(cases []*open, found []Found) map[int]*refutation {
	out := map[int]*refutation{}
	for _, c := range cases {
		root := &refutation{hinge: -1}
		for i := range found {
			if found[i].Case == c.number {
				if leaf := root.grow(found[i].Path); leaf != nil && leaf.hinge < 0 {
					leaf.proof = &found[i]
				}
			}
		}
		if needs, tree := root.whole(); tree != nil && len(needs) == 0 {
			out[c.number] = tree
		}
	}
	return out
}

// grow is the place where a path leads, which is a leaf if no other went on there; nil where it does not go with those before it.
func (r *refutation) grow(path []Turn) *refutation {
	for _, t := range path {
		if r.proof != nil || r.row != nil || r.hinge >= 0 && (r.hinge != t.Hinge || r.at != t.At) {
			return nil
		}
		r.hinge, r.at = t.Hinge, t.At
		if r.side[at(t)] == nil {
			r.side[at(t)] = &refutation{hinge: -1}
		}
		r = r.side[at(t)]
	}
	return r
}

// whole gives the tree without forks that nothing rests on, and what it needs; nil where a side is not proven. The proof of a side that does
// not need to be on it is one of both.
func (r *refutation) whole() (needs map[Turn]bool, tree *refutation) {
	if r == nil {
		return nil, nil
	}
	needs = map[Turn]bool{}
	if r.proof != nil {
		for _, t := range r.proof.Needs {
			needs[t] = true
		}
		return needs, r
	}
	out := &refutation{hinge: r.hinge, at: r.at}
	for i, s := range r.side {
		own := Turn{Hinge: r.hinge, At: r.at, On: i == 1}
		n, t := s.whole()
		if t != nil && !n[own] {
			return n, t
		}
		out.side[i] = t
		for x := range n {
			if x != own {
				needs[x] = true
			}
		}
	}
	if out.side[0] == nil || out.side[1] == nil {
		return nil, nil
	}
	return needs, out
}

// again proves a box by trees that were found, and what these leave open as ever.
func (w *weaver) again(s *plain.State, cases []*open, known map[int]*refutation) error {
	s, err := w.anew(s)
	if err != nil {
		return err
	}
	if s.Empty() {
		return w.empty()
	}
	return w.refined(s, 0, rowSteps, func(s *plain.State) error { return w.againOn(s, cases, known) })
}

// againOn is again once hinges are bounded as well as they are.
func (w *weaver) againOn(s *plain.State, cases []*open, known map[int]*refutation) (err error) {
	done := make([]bool, len(cases))
	for i, c := range cases {
		if done[i], err = w.plainly(s, c); err == nil && !done[i] && known[c.number] == nil {
			done[i], err = w.climb(s, c, rootSteps)
		}
		if err != nil {
			return err
		}
	}
	if some(done) {
		if cases, err = w.close(cases, done); err != nil || len(cases) == 0 {
			return err
		}
	}
	return w.follow(s, cases, nil, known, nil, 0)
}

// follow goes on at a place of a tree, on a part that some turns have led to. tree is nil where the next case' is to be begun, if there is one.
func (w *weaver) follow(s *plain.State, cases []*open, tree *refutation, known map[int]*refutation, turns []Turn, depth int) error {
	if err := w.ready(depth); err != nil {
		return err
	}
	if s.Empty() {
		return w.empty()
	}
	if tree == nil {
		if tree = known[cases[0].number]; tree == nil {
			return w.sides(s, inherit(cases), depth+1)
		}
	}
	for tree.hinge >= 0 {
		led := -1
		for _, t := range turns {
			if t.Hinge == tree.hinge {
				led = at(t)
			}
		}
		if led < 0 {
			break
		}
		tree = tree.side[led]
	}
	if tree.hinge < 0 {
		return w.leaf(s, cases, tree.proof, known, turns, depth)
	}
	value, index := w.read(tree.hinge)
	if value < 0 {
		return w.sides(s, inherit(cases), depth+1)
	}
	if err := w.out.Write(certificate.Step{Kind: certificate.Neuron, Value: value, Index: index}); err != nil {
		return err
	}
	below, above := s.Halves(w.values[value], index, 0)
	for i, half := range []*plain.State{below, above} {
		w.fresh = false
		more := append(turns[:len(turns):len(turns)], Turn{Hinge: tree.hinge, On: i == 1})
		if err := w.follow(half, cases, tree.side[i], known, more, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// leaf disproves the first case of a part by what was found. Where the plain pass does not follow, it is split further.
func (w *weaver) leaf(s *plain.State, cases []*open, f *Found, known map[int]*refutation, turns []Turn, depth int) error {
	p, weights := certificate.Disproof{Case: f.Case}, f.Weights
	if len(weights) <= 1 {
		weights = nil
	}
	shift, ok := 0, false
	if p.Weights, shift, ok = w.claimed(f.Case, 0, weights); !ok || shift != 0 {
		return w.sides(s, inherit(cases), depth+1)
	}
	for _, c := range f.Ceilings {
		p.Ceilings = append(p.Ceilings, certificate.Ceiling(c))
	}
	beta := map[Turn]float64{}
	for i, t := range f.Needs {
		beta[t] = f.Beta[i]
	}
	for _, t := range turns {
		p.Beta = append(p.Beta, beta[t])
	}
	ok, err := false, error(nil)
	for _, packed := range []bool{true, false} { // as few bits as will do
		p.Fine = make([]float64, len(f.Slopes))
		for i, x := range f.Slopes {
			if p.Fine[i] = x; packed {
				p.Fine[i] = math.Round(x*finest) / finest
			}
		}
		if ok, err = w.rests(s, &p, f, turns); ok || err != nil {
			break
		}
	}
	if !ok {
		return w.sides(s, inherit(cases), depth+1)
	}
	if err := w.out.Write(certificate.Step{Kind: certificate.Exact, Proofs: []certificate.Disproof{p}}); err != nil {
		return err
	}
	if cases = cases[1:]; len(cases) == 0 {
		w.parts++
		return nil
	}
	return w.follow(s, cases, nil, known, turns, depth+1)
}

// rests tries a row on a part that has more sides than it rests on. There a hinge is z or 0, where the row took a line of slope a below it: c*a*z of
// a coefficient c > 0. The multiplier c*(1-a) of a side z >= 0 makes that of c*z, and c*a of a side z <= 0 of 0, from the last value on, since each
// changes the coefficients below.
func (w *weaver) rests(s *plain.State, p *certificate.Disproof, f *Found, turns []Turn) (ok bool, err error) {
	needs := map[Turn]bool{}
	for _, t := range f.Needs {
		needs[t] = true
	}
	var trace plain.Trace
	if _, _, ok, err = w.disprove(s, *p, &trace); ok || err != nil {
		return ok, err
	}
	for h := len(w.hinges) - 1; h >= 0; h-- {
		hinge, some := w.hinges[h], false
		for q, t := range turns {
			k := t.Hinge - hinge.At
			if k < 0 || k >= w.net.Elements(hinge.Value) || needs[t] || trace.At(hinge.Value) == nil {
				continue
			}
			c, a := max(0, trace.At(hinge.Value)[k]), p.Fine[t.Hinge]
			if p.Beta[q] = c * a; t.On {
				p.Beta[q] = c * (1 - a)
			}
			some = some || p.Beta[q] != 0
		}
		if !some {
			continue
		}
		trace = plain.Trace{}
		if _, _, ok, err = w.disprove(s, *p, &trace); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// finest is 1 over what slopes are multiples of: few bits pack well, and slopes that are a little off prove almost as much.
const finest = 1 << 32

// read is what a hinge or curve reads: a value's number among those that can be split, and an element of it; -1 where that is none.
func (w *weaver) read(hinge int) (value, index int) {
	for _, h := range w.bends {
		if k := hinge - h.At; 0 <= k && k < w.net.Elements(h.Value) {
			for i, v := range w.values {
				if v == h.In {
					return i, k
				}
			}
		}
	}
	return -1, 0
}

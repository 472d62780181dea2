package weave

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/shallow-waters/shoal/internal/plain"
	"github.com/shallow-waters/shoal/verify/certificate"
	"github.com/shallow-waters/shoal/verify/internal/record"
)

// Tree is what a search kept of a box: its parts were bounded in the order of the plain pass, and proven with a margin beside, so that it is written
// down as it is.
type Tree struct {
	Tape  *record.Tape
	Cases []int         // by number there, its number in the property
	Took  time.Duration // of the search; 0 where the tree is a part, of which nothing is tried
}

// spot is a part of the tree, of which what is known is found when it is asked for.
type spot struct {
	up   *spot
	made func(*plain.State) (*plain.State, error)
	s    *plain.State
}

func (q *spot) state() (*plain.State, error) {
	if q.s != nil {
		return q.s, nil
	}
	s, err := q.up.state()
	if err == nil {
		q.s, err = q.made(s)
	}
	return q.s, err
}

func (q *spot) bounded() *spot {
	return &spot{up: q, made: func(s *plain.State) (*plain.State, error) { return s.Bound(true) }}
}

// half is the part where an input is at most at, or, above, at least.
func (w *weaver) half(q *spot, input int, at float64, above bool) *spot {
	return &spot{up: q, made: func(s *plain.State) (*plain.State, error) {
		v, k := w.net.Input(input)
		below, over := s.Halves(v, k, at)
		if above {
			return over, nil
		}
		return below, nil
	}}
}

var errTold = errors.New("the certificate: the tree that the search kept is not whole")

// kept writes a tree down.
func (w *weaver) kept(s *plain.State, t *Tree) error {
	var left []int
	for i := range t.Cases {
		left = append(left, i)
	}
	return w.node(&spot{s: s}, t, t.Tape.Root(), left, 0)
}

func (w *weaver) node(q *spot, t *Tree, number int64, left []int, depth int) error {
	if err := w.ready(depth); err != nil {
		return err
	}
	n, parts, err := t.Tape.Get(number)
	if err != nil {
		return err
	}
	if !w.sayable(t, n) {
		n, parts = record.Node{Left: true}, [2]int64{}
	}
	w.fresh = false
	if n.Left && len(n.Closed)+len(n.Slices) == 0 {
		return w.rest(q, t, n, parts, left, depth)
	}
	w.fresh = true
	if err := w.out.Write(certificate.Step{Kind: certificate.Bound}); err != nil {
		return err
	}
	if len(n.Closed) > 0 {
		if err := w.out.Write(w.step(t, n.Closed)); err != nil {
			return err
		}
		left = without(left, n.Closed)
	}
	if len(left) == 0 {
		w.parts++
		return nil
	}
	return w.sliced(q.bounded(), t, n, parts, left, depth)
}

// without are the cases that proofs leave open.
func without(left []int, proofs []record.Proof) []int {
	return slices.DeleteFunc(slices.Clone(left), func(k int) bool {
		return slices.ContainsFunc(proofs, func(p record.Proof) bool { return p.Case == k })
	})
}

// step are proofs that are sayable.
func (w *weaver) step(t *Tree, list []record.Proof) certificate.Step {
	s := certificate.Step{Kind: certificate.Closed}
	for _, q := range list {
		p, _ := w.proof(t, q)
		s.Proofs = append(s.Proofs, p)
	}
	return s
}

// sliced takes slices off a part, and goes on with what they leave.
func (w *weaver) sliced(q *spot, t *Tree, n record.Node, parts [2]int64, left []int, depth int) error {
	if len(n.Slices) == 0 {
		return w.rest(q, t, n, parts, left, depth)
	}
	c := n.Slices[0]
	n.Slices, w.fresh = n.Slices[1:], false
	if err := w.out.Write(certificate.Step{Kind: certificate.Input, Index: c.Input, At: c.At}); err != nil {
		return err
	}
	w.parts++
	if !c.Above {
		if err := w.out.Write(w.step(t, c.Proofs)); err != nil {
			return err
		}
	}
	if err := w.sliced(w.half(q, c.Input, c.At, !c.Above), t, n, parts, left, depth+1); err != nil || !c.Above {
		return err
	}
	return w.out.Write(w.step(t, c.Proofs))
}

// rest goes on with what slices leave of a part.
func (w *weaver) rest(q *spot, t *Tree, n record.Node, parts [2]int64, left []int, depth int) error {
	switch {
	case n.Last != nil:
		w.parts++
		return w.out.Write(w.step(t, n.Last))
	case n.Left: // it is proven by what a certificate cannot say
		s, err := q.state()
		if err != nil {
			return err
		}
		var cases []*open
		for _, k := range left {
			cases = append(cases, &open{number: t.Cases[k], low: math.Inf(-1)})
		}
		if len(n.Sides) > 0 {
			return w.settle(s, t, n.Sides, cases, depth)
		}
		return w.boxes(s, cases, depth)
	case n.Parts == 1:
		return w.node(q, t, parts[0], left, depth+1)
	case n.Parts == 2:
		if err := w.out.Write(certificate.Step{Kind: certificate.Input, Index: n.Input, At: n.At}); err != nil {
			return err
		}
		for i, above := range []bool{false, true} {
			if err := w.node(w.half(q, n.Input, n.At, above), t, parts[i], left, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	return errTold
}

// settle proves a part by what a search over its sides found.
func (w *weaver) settle(s *plain.State, t *Tree, found []Found, cases []*open, depth int) error {
	for i := range found {
		found[i].Case = t.Cases[found[i].Case]
	}
	w.rows, w.ends, w.covers, w.opened = nil, nil, nil, true
	s, err := w.anew(s)
	if err != nil {
		return err
	}
	if s.Empty() {
		return w.empty()
	}
	return w.follow(s, cases, nil, refutations(cases, found), nil, depth+1)
}

// sampleShare is what trying some of a tree may take beside the search.
const sampleShare = 0.02

// holds tries a tree before it is written: the plain pass goes some ways from the whole box down to a part, as far as the time for that goes, and all
// must hold on them. The search was to take no part that the plain pass would not; this is to see that it did not for a reason that nobody thought
// of.
func (w *weaver) holds(s *plain.State, t *Tree) bool {
	if t.Tape.Root() == 0 {
		return false
	}
	if t.Took == 0 {
		return true
	}
	rng := rand.New(rand.NewPCG(1, uint64(t.Tape.Nodes())))
	end := time.Now().Add(time.Duration(sampleShare * float64(t.Took)))
	for {
		if !w.way(s, t, rng, end) {
			return false
		}
		if w.ctx.Err() != nil || !time.Now().Before(end) {
			return true
		}
	}
}

// way goes one way down, until the time is over.
func (w *weaver) way(s *plain.State, t *Tree, rng *rand.Rand, end time.Time) bool {
	for number := t.Tape.Root(); ; {
		n, parts, err := t.Tape.Get(number)
		if err != nil {
			return false
		}
		if n.Left && len(n.Closed)+len(n.Slices) == 0 || !w.sayable(t, n) {
			return true
		}
		if s, err = s.Bound(true); err != nil || !w.disproved(s, t, n.Closed) {
			return false
		}
		for _, c := range n.Slices {
			v, k := w.net.Input(c.Input)
			rest, slice := s.Halves(v, k, c.At)
			if !c.Above {
				rest, slice = slice, rest
			}
			if !w.disproved(slice, t, c.Proofs) {
				return false
			}
			s = rest
		}
		if n.Last != nil {
			return w.disproved(s, t, n.Last)
		}
		if n.Left || n.Parts == 0 || !time.Now().Before(end) {
			return true
		}
		side := 0
		if n.Parts == 2 {
			v, k := w.net.Input(n.Input)
			below, above := s.Halves(v, k, n.At)
			if s = below; rng.IntN(2) == 1 {
				s, side = above, 1
			}
		}
		if number = parts[side]; number == 0 {
			return false
		}
	}
}

func (w *weaver) disproved(s *plain.State, t *Tree, list []record.Proof) bool {
	if s.Empty() {
		return true
	}
	for _, p := range w.step(t, list).Proofs {
		if _, _, ok, err := w.disprove(s, p, nil); err != nil || !ok {
			return false
		}
	}
	return true
}

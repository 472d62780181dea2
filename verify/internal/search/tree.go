package search

import (
	"math"
	"slices"
	"sync"
)

// tree remembers of an exact search what its proofs rest on: a proof that needs only some of a part's sides is one of every part that has these. So
// where a fork's two sides are proven, what both need, without the fork's own sides, proves all above that has it; and where one side's proof does
// not need the fork, the other side is done too. Source: Prosser 1993 (conflict-directed backjumping); Marques-Silva and Sakallah 1996 (clauses from
// conflicts).
//
// Literals are 2*hinge, plus 1 where it is on; what a proof needs is an ascending list of them.
type tree struct {
	mu   sync.Mutex
	act  []float64 // by hinge
	bump float64
}

// fork is where a hinge was given its two sides.
type fork struct {
	up     *fork
	side   int // on which side of up it lies
	hinge  int
	needs  [2][]int32
	proven [2]bool
	whole  bool // all below is proven
}

// fade is by how much less a proof counts for the choice of hinges than the next one. Source: Moskewicz et al. 2001 (VSIDS).
const fade = 0.95

// learn notes a leaf's proof, and what follows from it for the forks above.
func (t *tree) learn(l *leaf, needs []int32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.bump == 0 || t.bump > 1e100 {
		for u := range t.act {
			t.act[u] /= max(t.bump, 1)
		}
		t.bump = 1
	}
	for _, x := range needs {
		if u := int(x / 2); u < len(t.act) {
			t.act[u] += t.bump
		}
	}
	t.bump /= fade
	f, side := l.under, l.side
	for f != nil && !f.whole {
		own := int32(2*f.hinge + side)
		if _, ok := slices.BinarySearch(needs, own); ok {
			f.needs[side], f.proven[side] = needs, true
			if !f.proven[1-side] {
				return
			}
			needs = without(f.needs[0], f.needs[1], int32(2*f.hinge))
		}
		f.whole = true
		f, side = f.up, f.side
	}
}

// without is all that stands in one of two lists, but for the two literals of a hinge.
func without(a, b []int32, hinge int32) []int32 {
	out := make([]int32, 0, len(a)+len(b))
	for _, list := range [][]int32{a, b} {
		for _, x := range list {
			if x != hinge && x != hinge+1 {
				out = append(out, x)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// done tells whether all below a fork is proven.
func (t *tree) done(f *fork) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for ; f != nil; f = f.up {
		if f.whole {
			return true
		}
	}
	return false
}

// activity says how often proofs rested on each of n hinges, the last proofs most: 1 for the hinge that has most of it.
func (t *tree) activity(n int) []float64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.act) < n {
		t.act = append(t.act, make([]float64, n-len(t.act))...)
	}
	out := slices.Clone(t.act[:n])
	most := 0.0
	for _, a := range out {
		most = math.Max(most, a)
	}
	if most > 0 {
		for u := range out {
			out[u] /= most
		}
	}
	return out
}

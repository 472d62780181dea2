package search

import (
	"math"
	"slices"
	"sync"

	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/verify/internal/bound"
	"github.com/shallow-waters/shoal/verify/internal/lp"
)

const (
	// diveParts is how many parts a worker takes one below the other before what is left goes back to the frontier.
	diveParts = 32
	// maxPivots ends a program that does not end by itself: its part is split, as one that is open.
	maxPivots = 5000
	// flat is how little of its size the cost may gain at a hinge for that to say nothing.
	flat = 1e-6
	// cutGain is what share of the cost a round of cuts must have given for another.
	cutGain = 0.02
	// maxExact is how many hinges may be unstable over the whole box for programs to decide it from the start.
	maxExact = 500
	// maxProgram is how many times hinges and inputs that vary may be at most for that: rows with slopes of their own are faster beyond.
	maxProgram = 30_000
)

// Small is how many hinges a network may have for Neurons to decide it by linear programs for certain, if it is straight between them.
const Small = maxExact

// undecided says what is left where all is tried.
const undecided = "every hinge has a side on some part, and neither a bound nor a point decides it"

// exact decides parts by linear programs over the bounds of the whole box. A part is proven only by rows over it that the program's multipliers
// chose, which are bounded with directed rounding as all rows are: a program says where to look. Where no hinge is left to split, and the program's
// point meets the case, that is a counterexample; it is tried as any other.
type exact struct {
	r *sides

	mu   sync.Mutex
	free []*relaxed
	tree tree
}

// exactly gives the exact search of the whole box where programs are small; nil where they are not.
func (r *sides) exactly() *exact {
	if r.s.Rows {
		return nil
	}
	varying := 0
	for i, l := range r.g.Box.Lower {
		if l < r.g.Box.Upper[i] {
			varying++
		}
	}
	if r.unstable > maxExact || r.unstable*varying > maxProgram || !r.ends.fits() {
		return nil
	}
	return &r.ends
}

// fits tells whether there are programs.
func (e *exact) fits() bool {
	q, ok, err := e.program(0)
	if !ok || err != nil {
		return false
	}
	e.giveBack(q)
	return true
}

// last decides a leaf of which every hinge has a side: by its splits, by what bounds proved on the way, or by what they prove there. It tells whether
// it had the means.
func (e *exact) last(l *leaf, settled []bound.Split) (ok bool, err error) {
	q, ok, err := e.program(l.c)
	if err != nil || !ok {
		return false, err
	}
	defer e.giveBack(q)
	all := *l
	all.splits, all.facts = append(slices.Clip(l.splits), settled...), nil
	kids, err := e.part(q, &all)
	if len(kids) > 0 && !e.r.isFound() {
		e.r.stick(undecided)
	}
	return true, err
}

// program gives a worker the program of a case; ok is false where it has none.
func (e *exact) program(c int) (q *relaxed, ok bool, err error) {
	of := &e.r.g.Cases[c]
	e.mu.Lock()
	for i, q := range e.free {
		if q.c == of {
			last := len(e.free) - 1
			e.free[i], e.free[last] = e.free[last], nil
			e.free = e.free[:last]
			e.mu.Unlock()
			return q, true, nil
		}
	}
	e.mu.Unlock()
	return relax(e.r.ctx, e.r.s0, 0, of)
}

func (e *exact) giveBack(q *relaxed) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.free) >= 2*e.r.s.Threads {
		e.free = e.free[1:]
	}
	e.free = append(e.free, q)
}

// work dives below leaves, and gives what is left to do.
func (e *exact) work(ls []*leaf) ([]*leaf, error) {
	var next []*leaf
	for i, l := range ls {
		rest, err := e.dive(l)
		next = append(next, rest...)
		if err != nil || e.r.ctx.Err() != nil || e.r.isFound() {
			return append(next, ls[i+1:]...), e.r.mild(err)
		}
	}
	return next, nil
}

// dive decides a leaf and what lies below it, one part after the other, each nearest to the last.
func (e *exact) dive(l *leaf) (stack []*leaf, err error) {
	stack = []*leaf{l}
	q, ok, err := e.program(l.c)
	if err != nil {
		return stack, err
	}
	if !ok { // this case has more rows than the first, and no program
		return e.r.work(stack)
	}
	defer e.giveBack(q)
	for range diveParts {
		if len(stack) == 0 || e.r.ctx.Err() != nil || e.r.isFound() {
			break
		}
		l := stack[len(stack)-1]
		if e.tree.done(l.under) {
			e.proved(l.share, math.Inf(1))
			stack = stack[:len(stack)-1]
			continue
		}
		kids, err := e.part(q, l)
		if err != nil {
			return stack, err
		}
		stack = append(stack[:len(stack)-1], kids...)
		e.r.count(1)
	}
	return stack, nil
}

// part decides a leaf, or gives its parts, of which the last is to be decided first.
func (e *exact) part(q *relaxed, l *leaf) ([]*leaf, error) {
	q.sides(l.splits)
	status := q.solve(q.limit)
	// Cuts, as long as they help.
	for cost := math.Inf(-1); status == lp.Optimal; {
		now := q.solver.Value(q.costAt())
		if now-cost < cutGain*math.Abs(now) || q.separate() == 0 {
			break
		}
		cost = now
		status = q.solve(q.limit)
	}
	if status == lp.Above || status == lp.Infeasible {
		done, m, err := e.prove(q, l)
		if err != nil {
			return nil, err
		}
		if !done && status == lp.Above { // it is nearly true: as far as it goes
			status = q.solve(math.Inf(1))
			if done, m, err = e.prove(q, l); err != nil {
				return nil, err
			}
		}
		if done {
			e.proved(l.share, m)
			return nil, nil
		}
	}
	cost := q.solver.Value(q.costAt())
	if status != lp.Infeasible {
		if at := q.point(); at <= q.limit {
			if ok, err := e.r.try(q.x); ok || err != nil {
				e.r.front.end()
				return []*leaf{l}, err
			}
		}
	}
	u := e.choose(q)
	if u < 0 && status == lp.Optimal { // nothing is left to split: the last word is the bound's
		if done, m, err := e.prove(q, l); done || err != nil {
			e.proved(l.share, m)
			return nil, err
		}
	}
	if u < 0 {
		e.r.stick(undecided)
		return nil, nil
	}
	up := *l
	up.alpha, up.beta, up.weight = nil, nil, nil
	if status == lp.Optimal {
		up.worst = max(l.worst, cost)
	}
	near := 0 // the side on which the program's point lies nearer
	if q.solver.Value(q.yAt(u)) > q.solver.Value(q.sAt(u)) {
		near = 1
	}
	f := &fork{up: l.under, side: l.side, hinge: u}
	return []*leaf{up.fork(f, q.t.Hinges[u], 1-near), up.fork(f, q.t.Hinges[u], near)}, nil
}

// fork is a side of a leaf's fork, without what only rows need.
func (l *leaf) fork(f *fork, q bound.Split, side int) *leaf {
	q.On = side == 1
	k := *l
	k.splits = append(append(make([]bound.Split, 0, len(l.splits)+1), l.splits...), q)
	k.depth++
	k.share /= 2
	k.under, k.side = f, side
	return &k
}

// proved counts a leaf. Where rows are told, it is known of the search that this is not all.
func (e *exact) proved(share, margin float64) {
	if e.r.s.Leaf != nil {
		e.r.untold.Store(true)
	}
	e.r.proved(share, margin)
}

// prove bounds a leaf's row with the program's multipliers: with the sides alone that these rest on, so that the proof is of all parts that have
// them, or else with all.
func (e *exact) prove(q *relaxed, l *leaf) (done bool, margin float64, err error) {
	needed, all := q.needed(), q.distinct(l.splits)
	few := make([]bound.Split, 0, len(all))
	for _, x := range all {
		if _, ok := slices.BinarySearch(needed, q.literal(x)); ok {
			few = append(few, x)
		}
	}
	var what Proof
	done, margin, err = e.row(q, few, &what)
	if !done && err == nil && len(few) < len(all) {
		needed = needed[:0]
		for _, x := range all {
			needed = append(needed, q.literal(x))
		}
		slices.Sort(needed)
		few = all
		done, margin, err = e.row(q, few, &what)
	}
	// What the multipliers rest on may still be more than the proof needs: the deepest side first, so that most of the tree has it.
	for i := len(few) - 1; done && i >= 0 && len(all) > 1; i-- {
		fewer := slices.Delete(slices.Clone(few), i, i+1)
		ok, m, err := e.row(q, fewer, &what)
		if err != nil {
			return false, 0, err
		}
		if ok {
			at, _ := slices.BinarySearch(needed, q.literal(few[i]))
			few, margin, needed = fewer, m, slices.Delete(needed, at, at+1)
		}
	}
	if done {
		e.tree.learn(l, needed)
		if e.r.s.Told != nil {
			what.Case, what.Path = l.c, e.r.s0.Sides(l.splits)
			e.r.s.Told(what)
		}
	}
	return done, margin, err
}

// distinct are sides without those that stand before: a part that is bounded anew knows some of its splits from its boxes too. What a proof needs is
// told side by side, and one that stood twice would be forgotten once.
func (q *relaxed) distinct(splits []bound.Split) []bound.Split {
	out := make([]bound.Split, 0, len(splits))
	seen := make(map[int32]bool, len(splits))
	for _, x := range splits {
		k := q.literal(x)
		if k < 0 || !seen[k] { // below 0 it is of none of the program's hinges
			out = append(out, x)
		}
		seen[k] = true
	}
	return out
}

// row bounds the case's row on the part where some splits hold. Where that proves it, and somebody is told, it says by what.
func (e *exact) row(q *relaxed, splits []bound.Split, what *Proof) (bool, float64, error) {
	laid, err := bound.Lay(e.r.ctx, []bound.Node{{Of: e.r.s0, Splits: splits, Ceilings: q.ceilings()}}, 1)
	if err != nil {
		return false, 0, err
	}
	defer laid.Close()
	weights := q.multipliers(laid, e.r.s0, splits)
	mix := q.c.mix(weights)
	var t bound.Trace
	low, err := laid.Lower([][]float64{mix.row}, &t)
	if err != nil {
		return false, 0, err
	}
	if e.r.s.Plainly {
		low[0] = sound.Down(low[0] - room(e.r.g.Box, &t, 0))
	}
	m, done := mix.margin(low[0], func() bound.Box { return e.r.s0.Outputs(0) })
	if done && e.r.s.Told != nil {
		*what = Proof{Needs: e.r.s0.Sides(splits), Beta: slices.Clone(laid.Beta(0)), Weights: weights}
		for k := range e.r.s0.Slots() {
			what.Slopes = append(what.Slopes, e.r.s0.Spread(k, laid.Alpha(0, k), 0))
		}
		for _, c := range q.ceilings() {
			at := e.r.s0.Sides([]bound.Split{{Slot: c.Slot, Elem: c.Elem}})
			what.Ceilings = append(what.Ceilings, Ceiling{Hinge: at[0].Hinge, Times: c.Times, Slope: c.Slope})
		}
	}
	return done, m, nil
}

// choose gives the hinge whose two parts are most at odds at the program's point, by what they cost; where no cost tells, by how often proofs rested
// on a side of it lately. It is -1 where all that need one have a side.
func (e *exact) choose(q *relaxed) int {
	best, at := -1.0, -1
	for u, side := range q.side {
		if side != 0 || q.tri[u] < 0 {
			continue
		}
		if score := q.gap(u) * math.Abs(q.price(u)); score > best {
			best, at = score, u
		}
	}
	if at < 0 || best > flat*q.size {
		return at
	}
	act, pull := e.tree.activity(len(q.side)), q.pull()
	best = -1
	for u, side := range q.side {
		if side != 0 || q.tri[u] < 0 {
			continue
		}
		if score := pull[u] + 1e-3*act[u] + 1e-6*q.gap(u)/min(q.up[u], -q.lo[u]); score > best {
			best, at = score, u
		}
	}
	return at
}

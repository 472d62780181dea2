package search

import (
	"context"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"github.com/shallow-waters/shoal/verify/internal/bound"
)

const (
	// rootSteps and leafSteps are how often slopes, multipliers and weights are moved for the whole box and for each part. A leaf begins where its
	// parent ended. On mnist_fc 3 steps take several times as many parts as 8, and 16 hardly fewer.
	rootSteps, leafSteps = 40, 8
	// lastSteps are those of a leaf that has nothing left to split.
	lastSteps = 200
	// innerSteps are those of the rows that bound hinges over the whole box, and innerShare what these may take of the time that there is.
	innerSteps, innerShare = 10, 0.2
	// maxAnew is how many hinges may be unstable over the whole box for every part to be bounded anew: rows of all of them go down for each.
	maxAnew = 3000
)

// leafBytes is what a leaf takes for each hinge that is unstable over the whole box: a slope, and, of some, a side that is known.
const leafBytes = 12

// leafPace is how a leaf's parameters are moved.
var leafPace = pace{rate: 0.1, decay: 0.98, momentum: usualMomentum}

// Neurons decides a goal by giving hinges a side, or curves a part of their range, one after the other, where bounds lose most. It ends as Inputs
// does, or where nothing is left to split. Small networks, and parts of others whose hinges all have a side, are decided by linear programs
// (exact.go). The verdict does not depend on the number of threads either.
//
// Bounds of the whole box come first, those of hinges by rows whose slopes are moved (refine.go). Each part inherits them, and the sides that its
// splits give; where hinges are few, what lies behind a split is bounded anew. Then the case's row goes down with slopes, and a multiplier for each
// split, that are moved to where its bound is largest (slopes.go). Constraints of one case are added up with weights that are moved too.
// A search that is not done soon begins again from bounds of hinges that were searched for themselves (levels.go).
// Sources: Bunel et al. 2020 (branch and bound over ReLUs); Wang et al. 2021 (beta-CROWN).
func Neurons(ctx context.Context, net *bound.Network, o bound.Options, g Goal, s Settings) (Outcome, error) {
	s = s.filled()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	o.Threads = 1 // parts are spread over the workers, not rows
	r := &sides{common: common{ctx: ctx, g: g, s: s, least: math.Inf(1)}, net: net, o: o, front: newFrontier[*leaf](s.MaxOpen)}
	defer r.close()
	r.pins.begin(firstLeaves)
	for i := range g.Cases {
		r.open = append(r.open, i)
	}
	for level := 0; ; level++ {
		again, err := r.level(ctx, level)
		if err != nil {
			return Outcome{}, err
		}
		if !again {
			out := outcome(&r.common, r.front, len(r.open))
			out.Untold = r.untold.Load()
			return out, nil
		}
		r.skip(level)
	}
}

// sides is one search over sides of hinges.
type sides struct {
	common
	net   *bound.Network
	o     bound.Options
	front *frontier[*leaf]
	open  []int           // cases that are not disproved on the whole box
	s0    *bound.Snapshot // the whole box'
	known *bound.Snapshot // what leaves are parts of: the whole box, or what a problem for each case makes of it
	of    []int           // by case: its problem in known
	kept  []*bound.Bounds // to be closed
	f     influence
	anew  bool

	at       int           // the level
	skipped  int           // levels that were left out
	rows     time.Duration // that rows of hinges took
	unstable int           // hinges, over the whole box
	untold   atomic.Bool   // see Outcome
	ends     exact         // decides what has nothing left to split, or all of it
}

// close gives the memory back.
func (r *sides) close() {
	for _, b := range r.kept {
		b.Close()
	}
}

// work bounds leaves and gives what is left to do.
func (r *sides) work(ls []*leaf) ([]*leaf, error) {
	p, err := r.lay(ls)
	if err != nil {
		return ls, r.mild(err)
	}
	defer p.close()
	pts, err := p.climb(r, leafSteps, leafPace)
	if err != nil {
		return ls, r.mild(err)
	}
	var next []*leaf
	worst := -1
	for i, l := range ls {
		if !p.proven[i] && (worst < 0 || p.best[i] < p.best[worst]) {
			worst = i
		}
		if p.proven[i] {
			r.proved(l.share, p.best[i])
			r.tell(p, i)
		}
	}
	if worst >= 0 {
		x := pts.X(worst)
		ok, err := r.try(x)
		if !ok && err == nil {
			ok, err = r.pinned(r.net, bound.DeepPoly, r.o, x, []int{ls[worst].c})
		}
		if ok || err != nil {
			r.front.end()
			return ls, err
		}
	}
	splits, err := p.filter(r, pts)
	if err != nil {
		return ls, r.mild(err)
	}
	for i, l := range ls {
		if p.proven[i] {
			continue
		}
		if splits[i] == nil {
			l.worst = math.Inf(1) // decided here, or counted as stuck, and no more open
			means, err := r.ends.last(l, p.s.Settled(p.problem(i), r.s0, 0))
			if err != nil || r.isFound() {
				return ls, r.mild(err)
			}
			if !means {
				r.stick("every hinge has a side on some part, and bounds do not decide it")
			}
			continue
		}
		next = append(next, p.split(r, splits[i], i)...)
	}
	r.count(len(ls))
	return next, nil
}

// laidLeaves are leaves at work.
type laidLeaves struct {
	ls     []*leaf
	of     []int
	b      *bound.Bounds // of the parts; nil where the root's serve
	s      *bound.Snapshot
	l      *bound.Laid
	best   []float64   // margins
	cut    []bound.Cut // where the best bound was
	cuts   []bool
	proven []bool
	weight [][]float64
	alpha  [][][]float64 // by leaf: where the best bound was
	beta   [][]float64
}

func (p *laidLeaves) close() {
	if p.l != nil {
		p.l.Close()
	}
	if p.b != nil {
		p.b.Close()
	}
}

// problem is a leaf's number in the snapshot that it is laid over.
func (p *laidLeaves) problem(i int) int {
	if p.b == nil {
		return p.of[p.ls[i].c]
	}
	return i
}

// lay gives leaves their lines, where the parents' ended.
func (r *sides) lay(ls []*leaf) (*laidLeaves, error) {
	n := len(ls)
	p := &laidLeaves{ls: ls, s: r.known, of: r.of, best: make([]float64, n), proven: make([]bool, n), weight: make([][]float64, n),
		alpha: make([][][]float64, n), beta: make([][]float64, n), cut: make([]bound.Cut, n), cuts: make([]bool, n)}
	if r.anew && slices.ContainsFunc(ls, func(l *leaf) bool { return l.depth > 0 }) {
		problems := make([]bound.Problem, n)
		for i, l := range ls {
			problems[i] = bound.Problem{Box: r.g.Box, Known: r.known, Of: r.of[l.c], Splits: append(slices.Clip(l.splits), l.facts...), Cuts: l.cuts}
		}
		b, err := bound.DeepPoly.Bound(r.ctx, r.net, r.o, problems)
		if err != nil {
			return nil, err
		}
		p.b, p.s = b, b.View()
	}
	nodes := make([]bound.Node, n)
	for i, l := range ls {
		nodes[i] = bound.Node{Of: p.s, Problem: p.problem(i), Splits: l.splits}
	}
	l, err := bound.Lay(r.ctx, nodes, 1)
	if err != nil {
		p.close()
		return nil, err
	}
	p.l = l
	for i, x := range ls {
		for k := range x.alpha {
			if r.s.Leaf != nil && p.s.Each(k) != 1 { // the usual lines of this part
				continue
			}
			a := l.Alpha(i, k)
			handOn(k, r.s0, 0, x.alpha[k], p.s, p.problem(i), a)
		}
		copy(l.Beta(i), x.beta)
		l.Moved(i)
		p.best[i], p.weight[i] = math.Inf(-1), x.weight
	}
	return p, nil
}

// climb bounds the leaves' rows, moving what they leave open.
func (p *laidLeaves) climb(r *sides, steps int, pc pace) (*bound.Points, error) {
	if p.decided(r) {
		steps = max(steps, lastSteps)
	}
	pc.usual = r.s.Leaf != nil
	c := newClimber(len(p.ls), pc)
	var t bound.Trace
	rows, mix := make([][]float64, len(p.ls)), make([]mixed, len(p.ls))
	now := slices.Clone(p.weight)
	for step := 0; ; step++ {
		for i, l := range p.ls {
			mix[i] = r.g.Cases[l.c].mix(now[i])
			rows[i] = mix[i].row
		}
		low, err := p.l.Lower(rows, &t)
		if err != nil {
			return nil, err
		}
		open := false
		for i := range p.ls {
			if p.proven[i] {
				continue
			}
			m, done := mix[i].margin(low[i], func() bound.Box { return p.s.Outputs(p.problem(i)) })
			if m > p.best[i] || p.alpha[i] == nil || done {
				p.best[i], p.weight[i] = m, now[i]
				p.keep(i)
				p.cut[i], p.cuts[i] = t.Violation(i, mix[i].violated(func() bound.Box { return p.s.Outputs(p.problem(i)) }))
			}
			p.proven[i] = done
			open = open || !done
		}
		if !open {
			return nil, nil
		}
		pts, err := p.l.Points(&t)
		if err != nil || step == steps {
			return pts, err
		}
		at := c.next()
		for i, l := range p.ls {
			if !p.proven[i] {
				c.climb(at, p.l, pts, i, p.s.Slots(), l.splits)
				now[i] = c.weigh(at, i, &r.g.Cases[l.c], now[i], pts.Y[i])
			}
		}
	}
}

// decided tells whether some leaf has nothing left to split.
func (p *laidLeaves) decided(r *sides) bool {
	for i := range p.ls {
		left := 0
		for k := range p.s.Slots() {
			fixed := p.l.Split(i, k)
			for u := range p.s.Unstable(k, p.problem(i)) {
				if fixed == nil || !fixed[u] {
					left++
				}
			}
		}
		if left == 0 {
			return true
		}
	}
	return false
}

func (p *laidLeaves) keep(i int) {
	if p.alpha[i] == nil {
		p.alpha[i] = make([][]float64, p.s.Slots())
	}
	for k := range p.alpha[i] {
		p.alpha[i][k] = append(p.alpha[i][k][:0], p.l.Alpha(i, k)...)
	}
	p.beta[i] = append(p.beta[i][:0], p.l.Beta(i)...)
}

// split gives a leaf's parts, but those that are proven already.
func (p *laidLeaves) split(r *sides, t *tried, i int) (kids []*leaf) {
	l := p.ls[i]
	up := *l
	up.worst, up.weight, up.beta = max(l.worst, p.best[i]), p.weight[i], p.beta[i]
	up.alpha = p.slopes(r, i)
	if p.b != nil {
		up.facts = p.s.Settled(i, r.s0, 0)
	}
	if p.cuts[i] {
		if up.cuts = []bound.Cut{p.cut[i]}; r.anew {
			r.tell(p, i)
		}
	}
	for side := range 2 {
		k := up.child(t.Split, side == 1)
		if t.proven[side] && r.s.Leaf == nil { // else what proves it is to be told
			r.proved(k.share, t.low[side])
			continue
		}
		k.worst = max(k.worst, t.low[side])
		kids = append(kids, k)
	}
	return kids
}

// handOn writes the parameters of a slot's elements over one problem where another has them, as far as both have the elements.
func handOn(slot int, s *bound.Snapshot, of int, from []float64, t *bound.Snapshot, to int, into []float64) {
	n := s.Each(slot)
	match(s.Unstable(slot, of), t.Unstable(slot, to), func(a, b int) { copy(into[b*n:(b+1)*n], from[a*n:(a+1)*n]) })
}

// slopes are where a leaf's best bound was, at the root's unstable elements.
func (p *laidLeaves) slopes(r *sides, i int) [][]float64 {
	out := make([][]float64, p.s.Slots())
	for k := range out {
		if from := p.ls[i].alpha; from != nil {
			out[k] = slices.Clone(from[k])
		} else {
			out[k] = r.s0.Slopes(k, 0)
		}
		handOn(k, p.s, p.problem(i), p.alpha[i][k], r.s0, 0, out[k])
	}
	return out
}

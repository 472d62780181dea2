package search

import (
	"math"

	"github.com/shallow-waters/shoal/verify/internal/bound"
)

// candidates is how many splits of a part are tried at most. A query of oval21 takes 667 parts with six, 745 with three, and is far from its end
// after 1,288 with one; on mnist_fc trying six leaves nine tenths of the parts a second.
const candidates = 6

// tried is a split of an open part, and what the bounds of its two parts are: of where it does not hold, and of where it does.
type tried struct {
	bound.Split
	low    [2]float64 // margins
	proven [2]bool
}

// filter gives open parts the split, of those that promise most, whose parts' bounds gain most: both parts of each are bounded once, with the
// slopes and multipliers that the whole ended with. It is nil where nothing can be split.
// Source: De Palma et al. 2021, "Improved Branch and Bound for Neural Network Verification via Lagrangian Decomposition" (filtered smart branching);
// what promises is DeepSplit's (influence.go).
func (p *laidLeaves) filter(r *sides, pts *bound.Points) (best []*tried, err error) {
	best = make([]*tried, len(p.ls))
	var of []int // leaf of each
	var all []*tried
	for i := range p.ls {
		if p.proven[i] {
			continue
		}
		for k, q := range r.promising(p.s, p.problem(i), p.l, pts, i, candidates) {
			t := &tried{Split: q, low: [2]float64{math.Inf(-1), math.Inf(-1)}}
			if k == 0 {
				best[i] = t
			}
			of, all = append(of, i), append(all, t)
		}
	}
	batch := max(1, p.s.Fits()/2)
	for from := 0; from < len(all); from += batch {
		to := min(from+batch, len(all))
		if err := p.try(r, of[from:to], all[from:to]); err != nil {
			return nil, err
		}
	}
	score := make([]float64, len(p.ls))
	for n, t := range all {
		i := of[n]
		if g := t.gain(p.best[i]); g > score[i] {
			best[i], score[i] = t, g
		}
	}
	return best, nil
}

// try bounds the parts of splits of leaves.
func (p *laidLeaves) try(r *sides, of []int, ts []*tried) error {
	nodes, rows, mix := make([]bound.Node, 2*len(ts)), make([][]float64, 2*len(ts)), make([]mixed, 2*len(ts))
	for n, t := range ts {
		l := p.ls[of[n]]
		m := r.g.Cases[l.c].mix(p.weight[of[n]])
		for side := range 2 {
			q := t.Split
			q.On = side == 1
			at := 2*n + side
			nodes[at] = bound.Node{Of: p.s, Problem: p.problem(of[n]), Splits: append(append(make([]bound.Split, 0, len(l.splits)+1), l.splits...), q)}
			rows[at], mix[at] = m.row, m
		}
	}
	laid, err := bound.Lay(r.ctx, nodes, 1)
	if err != nil {
		return err
	}
	defer laid.Close()
	for at := range nodes {
		i := of[at/2]
		for k, a := range p.alpha[i] {
			copy(laid.Alpha(at, k), a)
		}
		copy(laid.Beta(at), p.beta[i])
		laid.Moved(at)
	}
	low, err := laid.Lower(rows, nil)
	if err != nil {
		return err
	}
	for n, t := range ts {
		for side := range 2 {
			at := 2*n + side
			t.low[side], t.proven[side] = mix[at].margin(low[at], func() bound.Box { return p.s.Outputs(p.problem(of[n])) })
		}
	}
	return nil
}

// smallGain is the share of what is missing that a side counts for beside what it gains.
const smallGain = 1e-3

// gain is what a split's parts gain over the bound of the whole: the product of both, for the tree grows with the worse one. What is proven has all
// that was missing.
func (t *tried) gain(whole float64) float64 {
	g := 1.0
	for side, low := range t.low {
		if t.proven[side] {
			low = 0
		}
		g *= max(0, min(low, 0)-whole) - smallGain*whole
	}
	return g
}

package search

import (
	"github.com/shallow-waters/shoal/verify/internal/bound"
)

const (
	// maxRounds is how often the whole box is bounded again for each case that is open, over the half-space in which it could be met.
	maxRounds = 3
	// roundGain is what a round must gain of a margin for another to follow.
	roundGain = 0.05
)

// whole bounds the cases over the whole box, and what is open again and again where its points lie, while that gains. It gives what is left.
func (r *sides) whole(ls []*leaf) ([]*leaf, error) {
	for round := 0; ; round++ {
		p, err := r.lay(ls)
		if err != nil {
			return nil, err
		}
		pts, err := p.climb(r, rootSteps, leafPace)
		if err != nil {
			p.close()
			return nil, err
		}
		var next []*leaf
		gain := round == 0
		for i, l := range ls {
			if p.proven[i] {
				r.proved(l.share, p.best[i])
				r.tell(p, i)
				continue
			}
			n := *l
			n.weight, n.worst, n.alpha = p.weight[i], p.best[i], p.slopes(r, i)
			if p.cuts[i] {
				n.cuts = []bound.Cut{p.cut[i]}
				r.tell(p, i)
			}
			gain = gain || n.worst-l.worst > -roundGain*l.worst
			next = append(next, &n)
			if ok, err := r.try(pts.X(i)); ok || err != nil {
				p.close()
				return nil, err
			}
		}
		p.close()
		r.count(len(ls) - len(next))
		if len(next) == 0 || !gain || round == maxRounds {
			return next, nil
		}
		ls = next
		if err := r.again(ls); err != nil {
			return nil, err
		}
	}
}

// again bounds the whole box for each leaf's case.
func (r *sides) again(ls []*leaf) error {
	problems := make([]bound.Problem, len(ls))
	for i, l := range ls {
		problems[i] = bound.Problem{Box: r.g.Box, Known: r.known, Of: r.of[l.c], Cuts: l.cuts}
	}
	o := r.o
	o.Threads = r.s.Threads
	b, err := bound.DeepPoly.Bound(r.ctx, r.net, o, problems)
	if err != nil {
		return err
	}
	r.kept = append(r.kept, b)
	r.known = b.View()
	for i, l := range ls {
		r.of[l.c] = i
	}
	return nil
}

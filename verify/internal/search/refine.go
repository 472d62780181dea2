package search

import (
	"context"
	"time"

	"github.com/shallow-waters/shoal/verify/internal/bound"
)

// neuronPace is how slopes of rows over neurons are moved: faster than those of outputs, for they get few steps.
var neuronPace = pace{0.25, 0.98}

// Refining gives bound.Options.Refine: boxes of hinges are tightened by rows whose slopes are moved some steps each, as long as the time lasts; zero
// means without end.
func Refining(ctx context.Context, threads, steps int, within time.Duration) func(s *bound.Snapshot, slot int) error {
	return refining(ctx, threads, steps, within, nil)
}

func refining(ctx context.Context, threads, steps int, within time.Duration, f *influence) func(s *bound.Snapshot, slot int) error {
	start := time.Now()
	return func(s *bound.Snapshot, slot int) error {
		r := refiner{ctx: ctx, s: s, slot: slot, threads: threads, steps: steps, f: f}
		if f != nil {
			f.begin(s, slot)
		}
		for p := range s.Problems() {
			for _, j := range s.Unstable(slot, p) {
				r.nodes = append(r.nodes, bound.Node{Of: s, Problem: p}, bound.Node{Of: s, Problem: p})
				r.elems, r.sign = append(r.elems, j, j), append(r.sign, 1, -1)
			}
		}
		batch := min(512, s.Fits())
		for from := 0; from < len(r.nodes); from += batch {
			if within > 0 && time.Since(start) > within {
				return nil
			}
			if err := r.rows(from, min(from+batch, len(r.nodes))); err != nil {
				return err
			}
		}
		return nil
	}
}

// refiner works on one slot.
type refiner struct {
	ctx            context.Context
	s              *bound.Snapshot
	slot           int
	threads, steps int
	f              *influence

	nodes []bound.Node
	elems []int32
	sign  []float64
}

func (r *refiner) rows(from, to int) error {
	nodes, elems, sign := r.nodes[from:to], r.elems[from:to], r.sign[from:to]
	l, err := bound.Lay(r.ctx, nodes, r.threads)
	if err != nil {
		return err
	}
	defer l.Close()
	c := newClimber(len(nodes), neuronPace)
	var t bound.Trace
	for step := 0; ; step++ {
		if _, err := l.Neurons(r.slot, elems, sign, &t); err != nil {
			return err
		}
		if step == r.steps && r.f == nil {
			return nil
		}
		pts, err := l.Points(&t)
		if err != nil {
			return err
		}
		if step == r.steps {
			r.f.learn(r.s, l, pts, r.slot, elems, sign)
			return nil
		}
		at := c.next()
		for i := range nodes {
			c.climb(at, l, pts, i, r.slot, nil)
		}
	}
}

package search

import (
	"context"
	"time"

	"github.com/shallow-waters/shoal/verify/internal/bound"
)

// rowRate is the rate of slopes of rows over outputs; TestSlopesAgainstReference in verify compares what it reaches.
const rowRate = 0.2

// climb raises lower bounds of rows over the outputs, row i over a snapshot's problem owner[i], each with lower slopes of its own that are moved to
// where the bound is larger. Where slopes can be looked for in float32, the bound of the best that were seen counts; else every step's bounds are
// sound, and the largest are kept. A trace, unless nil, gets the forms where they were found. Source: Xu et al. 2021 (alpha-CROWN).
func climb(ctx context.Context, s *bound.Snapshot, owner []int32, rows [][]float64, e Effort, threads int, low []float64, t *bound.Trace) error {
	batch := min(256, s.Fits())
	for from := 0; from < len(rows); from += batch {
		if err := climbing(ctx, s, owner, rows, from, min(from+batch, len(rows)), e, threads, low, t); err != nil {
			return err
		}
	}
	return nil
}

func climbing(ctx context.Context, s *bound.Snapshot, owner []int32, rows [][]float64, from, to int, e Effort, threads int, low []float64,
	t *bound.Trace) error {
	nodes := make([]bound.Node, to-from)
	for i := range nodes {
		nodes[i] = bound.Node{Of: s, Problem: int(owner[from+i])}
	}
	l, err := bound.Lay(ctx, nodes, threads)
	if err != nil {
		return err
	}
	defer l.Close()
	steps := e.Steps
	p := ending(rowRate, steps)
	sought, err := l.SeekLower(rows[from:to], p.seeking(steps, e.Until))
	if err != nil {
		return err
	}
	if sought { // one bound, at the best of them
		steps = 0
	}
	c := newClimber(len(nodes), p)
	var own bound.Trace
	for step := 0; ; step++ {
		found, err := l.Lower(rows[from:to], &own)
		if err != nil {
			return err
		}
		for i, x := range found {
			if x > low[from+i] {
				low[from+i] = x
				t.Take(from+i, &own, i)
			}
		}
		if step == steps || !e.Until.IsZero() && time.Now().After(e.Until) {
			return nil
		}
		pts, err := l.Points(&own)
		if err != nil {
			return err
		}
		at := c.next()
		for i := range nodes {
			c.climb(at, l, pts, i, s.Slots(), nil)
		}
	}
}

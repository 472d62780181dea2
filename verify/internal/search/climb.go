package search

import (
	"context"

	"github.com/shallow-waters/shoal/verify/internal/bound"
)

// rowPace is how slopes of rows over outputs are moved; TestSlopesAgainstReference in verify compares what it reaches.
var rowPace = pace{0.1, 0.98}

// Climb bounds rows over the outputs from below on a snapshot's problem, each with lower slopes of its own that are moved some steps to where the
// bound is larger. Every step's bounds are sound, and the largest are kept. Source: Xu et al. 2021 (alpha-CROWN).
func Climb(ctx context.Context, s *bound.Snapshot, problem int, rows [][]float64, steps, threads int) ([]float64, error) {
	batch := min(256, s.Fits())
	var out []float64
	for from := 0; from < len(rows); from += batch {
		low, err := climb(ctx, s, problem, rows[from:min(from+batch, len(rows))], steps, threads)
		if err != nil {
			return nil, err
		}
		out = append(out, low...)
	}
	return out, nil
}

func climb(ctx context.Context, s *bound.Snapshot, problem int, rows [][]float64, steps, threads int) ([]float64, error) {
	nodes := make([]bound.Node, len(rows))
	for i := range nodes {
		nodes[i] = bound.Node{Of: s, Problem: problem}
	}
	l, err := bound.Lay(ctx, nodes, threads)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	c := newClimber(len(rows), rowPace)
	var best []float64
	var t bound.Trace
	for step := 0; ; step++ {
		low, err := l.Lower(rows, &t)
		if err != nil {
			return nil, err
		}
		if best == nil {
			best = low
		}
		for i, x := range low {
			best[i] = max(best[i], x)
		}
		if step == steps {
			return best, nil
		}
		pts, err := l.Points(&t)
		if err != nil {
			return nil, err
		}
		at := c.next()
		for i := range rows {
			c.climb(at, l, pts, i, s.Slots(), nil)
		}
	}
}

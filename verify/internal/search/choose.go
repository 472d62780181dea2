package search

import (
	"math"

	"github.com/shallow-waters/shoal/verify/internal/bound"
)

// choose gives the hinge or curve whose sides promise most for row i: what the row loses there, and what later ones' rows do. ok is false where
// nothing can be split.
func (r *sides) choose(s *bound.Snapshot, problem int, laid *bound.Laid, pts *bound.Points, i int) (q bound.Split, ok bool) {
	score := make([][]float64, s.Slots())
	for k := range score {
		score[k] = losses(s, problem, laid, pts, i, k)
	}
	r.f.indirect(s, problem, laid, pts, i, score)
	return most(s, problem, laid, i, score)
}

// most gives the split with the largest score of those that can be made.
func most(s *bound.Snapshot, problem int, laid *bound.Laid, i int, score [][]float64) (q bound.Split, ok bool) {
	for {
		best, at := 0.0, -1
		for k := range score {
			fixed := laid.Split(i, k)
			for u, j := range s.Unstable(k, problem) {
				if (fixed == nil || !fixed[u]) && score[k][u] >= 0 && (at < 0 || score[k][u] > best) {
					q, best, at = bound.Split{Slot: int32(k), Elem: j}, score[k][u], u
				}
			}
		}
		if at < 0 {
			return q, false
		}
		if q.At, ok = laid.Halve(i, int(q.Slot), at); ok {
			return q, true
		}
		score[q.Slot][at] = -1 // too narrow to be cut
	}
}

// losses are what row i loses at each unstable element of a slot: nothing where it does not come by, on another branch of the network.
func losses(s *bound.Snapshot, problem int, laid *bound.Laid, pts *bound.Points, i, k int) []float64 {
	out := make([]float64, len(s.Unstable(k, problem)))
	if pts.C[k] == nil {
		return out
	}
	if laid.Ends(i, k) != nil {
		for u := range out {
			c := pts.C[k][i][u]
			gap, middle := laid.Gap(i, k, u, pts.Z[k][i][u], c)
			out[u] = halvedGap * math.Abs(c) * (gap + shareTriangle*middle)
		}
		return out
	}
	a := laid.Alpha(i, k)
	for u, j := range s.Unstable(k, problem) {
		lo, up := s.Range(k, problem, j)
		out[u] = lossAt(pts.C[k][i][u], pts.Z[k][i][u], a[u], lo, up)
	}
	return out
}

// halvedGap is the share of the gap between a smooth curve and its line that goes where the interval is halved.
const halvedGap = 0.75

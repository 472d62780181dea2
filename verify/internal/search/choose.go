package search

import (
	"math"

	"github.com/shallow-waters/shoal/verify/internal/bound"
)

// promising are the hinges and curves whose sides promise most for row i, best first, at most n: by what the row loses there, and by what later ones'
// rows do. There are none where nothing can be split.
func (r *sides) promising(s *bound.Snapshot, problem int, laid *bound.Laid, pts *bound.Points, i, n int) (qs []bound.Split) {
	score := make([][]float64, s.Slots())
	for k := range score {
		score[k] = losses(s, problem, laid, pts, i, k)
	}
	r.f.indirect(s, problem, laid, pts, i, score)
	for len(qs) < n {
		q, at, ok := most(s, problem, laid, i, score)
		if !ok {
			break
		}
		qs = append(qs, q)
		score[q.Slot][at] = -1
	}
	return qs
}

// most gives the split with the largest score of those that can be made, and the element's place. Scores below 0 are of none.
func most(s *bound.Snapshot, problem int, laid *bound.Laid, i int, score [][]float64) (q bound.Split, at int, ok bool) {
	for {
		best := 0.0
		at = -1
		for k := range score {
			fixed := laid.Split(i, k)
			for u, j := range s.Unstable(k, problem) {
				if (fixed == nil || !fixed[u]) && score[k][u] >= 0 && (at < 0 || score[k][u] > best) {
					q, best, at = bound.Split{Slot: int32(k), Elem: j}, score[k][u], u
				}
			}
		}
		if at < 0 {
			return q, at, false
		}
		if q.At, ok = laid.Halve(i, int(q.Slot), at); ok {
			return q, at, true
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

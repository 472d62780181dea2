package search

import (
	"github.com/shallow-waters/shoal/verify/internal/bound"
)

// choose gives the hinge whose sides promise most for row i: what the row loses there, and what later hinges' rows do. ok is false where all
// hinges have a side.
func (r *sides) choose(s *bound.Snapshot, problem int, laid *bound.Laid, pts *bound.Points, i int) (q bound.Split, ok bool) {
	score := make([][]float64, s.Slots())
	for k := range score {
		a := laid.Alpha(i, k)
		score[k] = make([]float64, len(a))
		for u, j := range s.Unstable(k, problem) {
			lo, up := s.Range(k, problem, j)
			score[k][u] = lossAt(pts.C[k][i][u], pts.Z[k][i][u], a[u], lo, up)
		}
	}
	r.f.indirect(s, problem, pts, i, score)
	best := 0.0
	for k := range score {
		fixed := laid.Split(i, k)
		for u, j := range s.Unstable(k, problem) {
			if (fixed == nil || !fixed[u]) && (!ok || score[k][u] > best) {
				q, best, ok = bound.Split{Slot: int32(k), Elem: j}, score[k][u], true
			}
		}
	}
	return q, ok
}

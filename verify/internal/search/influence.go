package search

import "github.com/shallow-waters/shoal/verify/internal/bound"

// influence estimates what a side of one hinge does to the bounds of later ones, and through these to a row's bound: the rows that bound a later
// hinge lose something at every hinge on their way down, and that is what a side of it would give back. Source of the idea: Henriksen and
// Lomuscio 2021 (DeepSplit), section 4. It chooses, and proves nothing.
type influence struct {
	root  *bound.Snapshot
	place []map[int32]int // by slot: an element's place in gain
	gain  [][]gains       // by slot
	size  int             // numbers kept
}

// gains are by earlier slot and place among the root's unstable elements there: of the lower and of the upper bound.
type gains struct{ lo, up [][]float64 }

// maxInfluence is how many numbers are kept at most, 256 MiB: what lies beyond goes without.
const maxInfluence = 32 << 20

// weightIndirect is how much more than what it costs by itself an estimated gain through later hinges counts: all hinges behind those gain
// too, which the estimate does not follow. Found by trying on mnist_fc, where 1 takes several times as many parts, and 3 to 10 are alike.
const weightIndirect = 3

// shareTriangle is the weight of what a hinge's triangle costs at worst beside what it costs at the row's least point.
const shareTriangle = 0.3

// lossAt is what a row with coefficient c in front of an unstable hinge, which reads z at the row's least point, loses there.
func lossAt(c, z, alpha, lo, up float64) float64 {
	if c >= 0 {
		return c * (max(z, 0) - alpha*z)
	}
	gap := max(0, up/(up-lo)*(z-lo)-max(z, 0))
	return -c * (gap + shareTriangle*(-lo*up/(up-lo)))
}

func (f *influence) begin(s *bound.Snapshot, slot int) {
	for len(f.gain) <= slot {
		f.gain = append(f.gain, nil)
		f.place = append(f.place, map[int32]int{})
	}
}

// learn notes what rows of a slot's neurons lose on their way, at the end of a refinement.
func (f *influence) learn(s *bound.Snapshot, l *bound.Laid, pts *bound.Points, slot int, elems []int32, sign []float64) {
	for i, j := range elems {
		g := make([][]float64, slot)
		for k := range slot {
			un := s.Unstable(k, 0)
			if f.size += len(un); f.size > maxInfluence {
				return
			}
			g[k] = losses(s, 0, l, pts, i, k)
		}
		at, known := f.place[slot][j]
		if !known {
			at = len(f.gain[slot])
			f.place[slot][j] = at
			f.gain[slot] = append(f.gain[slot], gains{})
		}
		if sign[i] > 0 {
			f.gain[slot][at].lo = g
		} else {
			f.gain[slot][at].up = g
		}
	}
}

// indirect adds to scores, by slot and place among a problem's unstable elements, what sides would give through later hinges.
func (f *influence) indirect(s *bound.Snapshot, problem int, laid *bound.Laid, pts *bound.Points, i int, score [][]float64) {
	sum := make([][]float64, s.Slots()) // by slot and place in the root
	for k := range sum {
		sum[k] = make([]float64, len(f.root.Unstable(k, 0)))
	}
	for k := 1; k < s.Slots() && k < len(f.gain); k++ {
		for u, j := range s.Unstable(k, problem) {
			c, z := pts.C[k][i][u], pts.Z[k][i][u]
			at, known := f.place[k][j]
			curve := laid.Ends(i, k) != nil
			if !known || c == 0 || c > 0 && !curve {
				continue
			}
			var wl, wu float64
			if curve {
				wl, wu = laid.Sway(i, k, u, z, c)
			} else { // the derivatives of the triangle's upper line at z in its ends
				lo, up := s.Range(k, problem, j)
				w := (up - lo) * (up - lo)
				wu, wl = c*lo*max(0, z-lo)/w, -c*up*max(0, up-z)/w
			}
			g := &f.gain[k][at]
			for e := range g.up {
				axpy(weightIndirect*wu, g.up[e], sum[e])
			}
			for e := range g.lo {
				axpy(weightIndirect*wl, g.lo[e], sum[e])
			}
		}
	}
	for k := range sum {
		match(f.root.Unstable(k, 0), s.Unstable(k, problem), func(at, u int) { score[k][u] += sum[k][at] })
	}
}

func axpy(a float64, x, y []float64) {
	for i, v := range x {
		y[i] += a * v
	}
}

// match calls f with the places of elements that stand in both of two ascending lists.
func match(a, b []int32, f func(i, j int)) {
	i := 0
	for j, x := range b {
		for i < len(a) && a[i] < x {
			i++
		}
		if i < len(a) && a[i] == x {
			f(i, j)
		}
	}
}

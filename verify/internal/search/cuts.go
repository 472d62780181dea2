package search

import (
	"cmp"
	"math"
	"slices"

	"github.com/shallow-waters/shoal/verify/internal/bound"
)

// cut is a ceiling of a hinge in a program: y <= slope*x + c, of which x are the inputs that vary.
type cut struct {
	hinge int
	slope []float64
	v     int // its row: what y lies below it
}

const (
	// cutDepth is by what share of a hinge's range a point must lie above a ceiling for that to be worth a row.
	cutDepth = 1e-4
	// maxCuts is how many cuts a program has at most, for each hinge: those that do not bind make place.
	maxCuts = 3
)

// separate adds the ceilings of hinges that the program's point lies above of, and tells how many: of each hinge that reads the inputs, and nothing
// else, the one that is lowest there. All of them together leave of a hinge over a box what is convex, and no more, which the triangle does not.
//
// The lowest follows the hinge's weights in the inputs that lie nearest to where they make it least, as many as bring what it reads below 0 when
// all others make it largest. Source: Tjandraatmadja et al. 2020, proposition 2.
func (q *relaxed) separate() int {
	type found struct {
		cut
		c, depth float64
	}
	var all []found
	n := len(q.inputs)
	order, share := make([]int, n), make([]float64, n)
	for u, side := range q.side {
		y := q.solver.Value(q.yAt(u))
		if side != 0 || q.tri[u] < 0 || q.gap(u) <= cutDepth*q.up[u] || slices.ContainsFunc(q.t.Hinge[u], func(a float64) bool { return a != 0 }) {
			continue
		}
		w := q.t.Input[u]
		ends := func(k int) (low, high float64) { // where the input makes the hinge least and largest
			low, high = q.solver.Bounds(k)
			if w[q.inputs[k]] < 0 {
				low, high = high, low
			}
			return low, high
		}
		left := q.t.Const[u]
		for i, x := range q.base {
			left += w[i] * x
		}
		for k, i := range q.inputs {
			low, high := ends(k)
			left += w[i] * (high - q.base[i])
			order[k], share[k] = k, (q.solver.Value(k)-low)/(high-low)
		}
		slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(share[a], share[b]), a-b) })
		f := found{cut: cut{hinge: u, slope: make([]float64, n)}}
		for _, k := range order {
			low, high := ends(k)
			a := w[q.inputs[k]]
			if a == 0 {
				continue
			}
			ended := left-a*(high-low) < 0
			if ended {
				a = left / (high - low)
			}
			f.slope[k] = a
			f.c -= a * low
			y -= a * (q.solver.Value(k) - low)
			if left -= a * (high - low); ended {
				break
			}
		}
		if f.depth = y / q.up[u]; f.depth > cutDepth {
			all = append(all, f)
		}
	}
	if len(q.cuts)+len(all) > maxCuts*len(q.side)+8 {
		q.drop()
	}
	for _, f := range all {
		row := make([]float64, q.columns())
		copy(row, f.slope)
		row[q.yAt(f.hinge)] = -1
		f.v = q.solver.AddRow(row, f.c, 0, math.Inf(1))
		q.cuts = append(q.cuts, f.cut)
	}
	return len(all)
}

// drop takes cuts out that do not bind.
func (q *relaxed) drop() {
	for i := 0; i < len(q.cuts); {
		v := q.cuts[i].v
		if !q.solver.Basic(v) {
			i++
			continue
		}
		last := q.solver.Variables() - 1
		q.solver.RemoveRow(v)
		for k := range q.cuts {
			if q.cuts[k].v == last {
				q.cuts[k].v = v
			}
		}
		q.cuts[i] = q.cuts[len(q.cuts)-1]
		q.cuts = q.cuts[:len(q.cuts)-1]
	}
}

// ceilings are the cuts that bind, by their multipliers: those of one hinge make one.
func (q *relaxed) ceilings() []bound.Ceiling {
	var out []bound.Ceiling
	at := map[int]int{}
	for _, c := range q.cuts {
		d := q.d[c.v]
		if !(d > 0) {
			continue
		}
		k, ok := at[c.hinge]
		if !ok {
			k = len(out)
			at[c.hinge] = k
			h := q.t.Hinges[c.hinge]
			out = append(out, bound.Ceiling{Slot: h.Slot, Elem: h.Elem, Slope: make([]float64, len(q.base)), Times: q.above[c.hinge]})
		}
		for i, j := range q.inputs {
			out[k].Slope[j] += d / q.above[c.hinge] * c.slope[i]
		}
	}
	return out
}

package search

import (
	"slices"

	"github.com/shallow-waters/shoal/verify/internal/bound"
)

// together bounds the rows of open cases once more where the network multiplies, with products taken together (bound.Bounds.Together), and has a
// case's forms replaced by those that say more. A row that several cases have goes down once.
func (r *run) together(b *bound.Bounds, ps []*part, views []*view) error {
	if !r.net.Multiplies() {
		return nil
	}
	var rows [][]float64
	var owner []int32
	at := make([][][]int, len(views)) // by part, open case and row: the number of the row
	for i, v := range views {
		first := len(rows)
		at[i] = make([][]int, len(v.open))
		for n, k := range v.open {
			for _, row := range r.g.Cases[k].Rows {
				j := slices.IndexFunc(rows[first:], func(x []float64) bool { return slices.Equal(x, row) })
				if j < 0 {
					j = len(rows) - first
					rows, owner = append(rows, row), append(owner, int32(i))
				}
				at[i][n] = append(at[i][n], first+j)
			}
		}
	}
	if len(rows) == 0 {
		return nil
	}
	var t bound.Trace
	low, err := b.Together(rows, owner, &t)
	if err != nil {
		return err
	}
	for i, v := range views {
		var out *bound.Box
		for n := len(v.open) - 1; n >= 0; n-- { // from behind: what is dropped moves nothing that is still to come
			c, s := &r.g.Cases[v.open[n]], &v.seen[n]
			if c.Loss != nil && out == nil {
				o := b.Outputs(i)
				out = &o
			}
			gone := false
			for j, row := range at[i][n] {
				x := c.less(j, low[row], out)
				gone = gone || c.disproved(j, x)
				if !(low[row] > s.low(j, ps[i].box)) {
					continue
				}
				s.forms[j], s.consts[j] = slices.Clone(t.Coef[row]), t.Const[row]
				if m := margin(x, c.Bound[j]); m > s.margin {
					s.margin, s.best, s.touches = m, j, true
				}
			}
			if gone {
				v.drop(n, s.margin)
			}
		}
	}
	return nil
}

// low is about the least value of form j over a box.
func (s *seen) low(j int, box bound.Box) float64 {
	sum := s.consts[j]
	for i, a := range s.forms[j] {
		sum += min(a*box.Lower[i], a*box.Upper[i])
	}
	return sum
}

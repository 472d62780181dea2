package search

import (
	"cmp"
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/verify/internal/bound"
	"github.com/shallow-waters/shoal/verify/internal/record"
)

// mixing bounds, for every open case of several constraints, these added up with the weights for which their forms promise most: no point of a box
// may meet two constraints together where each alone can be met. The row goes down through the network anew, and its form cuts the box too.
func (r *run) mixing(b *bound.Bounds, ps []*part, views []*view) error {
	type place struct{ part, n int }
	var rows [][]float64
	var owner []int32
	var mix []mixed
	var of []place
	var weights [][]float64
	for i, v := range views {
		for n, k := range v.open {
			c := &r.g.Cases[k]
			if len(c.Rows) < 2 {
				continue
			}
			w := v.seen[n].weights(ps[i].box)
			if w == nil {
				continue
			}
			m := c.mix(w)
			rows, owner = append(rows, m.row), append(owner, int32(i))
			mix, of, weights = append(mix, m), append(of, place{i, n}), append(weights, w)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	var t bound.Trace
	low, err := b.Lower(rows, owner, &t)
	if err != nil {
		return err
	}
	r.lessen(ps, owner, low, &t)
	if r.net.Multiplies() {
		var u bound.Trace
		more, err := b.Together(rows, owner, &u)
		if err != nil {
			return err
		}
		for i, x := range more {
			if x > low[i] {
				low[i] = x
				t.Take(i, &u, i)
			}
		}
	}
	for at := len(of) - 1; at >= 0; at-- { // from behind: what is dropped moves nothing that is still to come
		v, n := views[of[at].part], of[at].n
		out := b.Outputs(of[at].part)
		margin, gone := mix[at].margin(low[at], func() bound.Box { return out })
		if gone {
			v.closed = append(v.closed, record.Proof{Case: v.open[n], Weights: weights[at]})
			v.drop(n, margin)
			continue
		}
		s, limit := &v.seen[n], mix[at].limit
		if mix[at].off != nil {
			limit = sound.AddUp(limit, mix[at].off(out))
		}
		if math.IsNaN(limit) {
			continue
		}
		s.mixed = weights[at]
		s.forms, s.consts, s.limits = append(s.forms, t.Coef[at]), append(s.consts, t.Const[at]), append(s.limits, limit)
	}
	return nil
}

const (
	// mixSweeps is how often every pair of weights is moved: pairs that touch need two.
	mixSweeps = 3
	// mixGain is by how much of its size a mixture must be better than the best constraint alone, or it is not worth a row.
	mixGain = 1e-6
)

// weights are those of a case's constraints, at least 0 and 1 in all, for which the sum of their forms is largest at its least point in a box; nil
// where one constraint alone does as well. The value is concave in the weights, and piecewise linear: what one weight gives to another is found
// exactly, pair by pair, from the best constraint on. It chooses, and proves nothing.
func (s *seen) weights(box bound.Box) []float64 {
	k := len(s.limits)
	for j := range k {
		if math.IsInf(s.consts[j], 0) || math.IsNaN(s.consts[j]) || math.IsInf(s.limits[j], 0) {
			return nil
		}
	}
	w := make([]float64, k)
	alone, at := math.Inf(-1), 0
	for j := range w {
		clear(w)
		w[j] = 1
		if x := s.value(box, w); x > alone {
			alone, at = x, j
		}
	}
	clear(w)
	w[at] = 1
	for range mixSweeps {
		moved := false
		for i := range w {
			for j := range w {
				moved = i != j && w[i] > 0 && s.shift(box, w, i, j) || moved
			}
		}
		if !moved {
			break
		}
	}
	if x := s.value(box, w); !(x > alone+mixGain*math.Abs(alone)) {
		return nil
	}
	return w
}

// shift gives what is best for the value from weight i to weight j, and tells whether that was anything.
func (s *seen) shift(box bound.Box, w []float64, i, j int) bool {
	type turn struct{ at, slope float64 } // behind it the derivative is less by slope
	var turns []turn
	slope := (s.consts[j] - s.limits[j]) - (s.consts[i] - s.limits[i])
	for k, l := range box.Lower {
		a, q := 0.0, s.forms[j][k]-s.forms[i][k]
		for n, x := range w {
			a += x * s.forms[n][k]
		}
		up := box.Upper[k]
		if q == 0 || l == up {
			slope += q * l
			continue
		}
		if a > 0 || a == 0 && q > 0 {
			slope += q * l
		} else {
			slope += q * up
		}
		if t := -a / q; t > 0 && t < w[i] {
			turns = append(turns, turn{t, math.Abs(q) * (up - l)})
		}
	}
	if !(slope > 0) {
		return false
	}
	slices.SortFunc(turns, func(a, b turn) int { return cmp.Compare(a.at, b.at) })
	step := w[i]
	for _, t := range turns {
		if slope -= t.slope; slope <= 0 {
			step = t.at
			break
		}
	}
	w[i], w[j] = w[i]-step, w[j]+step
	return step > 0
}

// value is the least of the weighted forms less their limits over a box, in plain floating point.
func (s *seen) value(box bound.Box, w []float64) float64 {
	sum := 0.0
	for j, x := range w {
		sum += x * (s.consts[j] - s.limits[j])
	}
	for i, l := range box.Lower {
		a := 0.0
		for j, x := range w {
			a += x * s.forms[j][i]
		}
		sum += min(a*l, a*box.Upper[i])
	}
	return sum
}

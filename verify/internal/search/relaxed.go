package search

import (
	"context"
	"math"
	"slices"

	"github.com/shallow-waters/shoal/verify/internal/bound"
	"github.com/shallow-waters/shoal/verify/internal/lp"
)

// relaxed is a case over a problem as a linear program. What hinge u reads is y - s, of which y comes out of it, and s is what it cuts off; both are
// at least 0, and of each pair one is 0. The program forgets the last, and keeps of it that 1 - y/up - s/-lo >= 0, the triangle, as long as the hinge
// has no side. A side is a bound: y = 0, or s = 0. The cost is the largest of the case's rows less their bounds, so that the case is disproved where
// it is more than 0. Source: Ehlers 2017; the form with both parts is that of Anderson et al. 2020, section 2.
//
// It is of one worker.
type relaxed struct {
	c       *Case
	t       *bound.Straight
	lo, up  []float64 // of what hinges read
	inputs  []int32   // those that vary
	base    []float64 // an input
	solver  *lp.Solver
	side    []int8 // by hinge: -1 off, 1 on, 0 for none
	tri     []int  // by hinge: its triangle's row among the rows; -1 for none
	tris    int
	d       []float64
	place   map[bound.Split]int // of a hinge, with On false
	cuts    []cut
	above   []float64 // by hinge: the sum of its cuts' multipliers
	passed  *spread   // nil until it is asked for
	limit   float64
	size    float64 // of the cost
	x, y, z []float64
}

// Variables of a program: inputs, y, with several rows what the first lies below the cost; then the rows s, triangles, cost, and what the other rows
// lie below the cost.
func (q *relaxed) yAt(u int) int { return len(q.inputs) + u }
func (q *relaxed) columns() int {
	n := len(q.inputs) + len(q.t.Hinges)
	if len(q.c.Rows) > 1 {
		n++
	}
	return n
}
func (q *relaxed) sAt(u int) int   { return q.columns() + u }
func (q *relaxed) triAt(u int) int { return q.columns() + q.tri[u] }
func (q *relaxed) costAt() int     { return q.columns() + len(q.t.Hinges) + q.tris }
func (q *relaxed) belowAt(k int) int {
	if k == 0 {
		return q.columns() - 1
	}
	return q.costAt() + k
}

const (
	// maxRelaxed is how many numbers a program may have: 32 MiB for each worker.
	maxRelaxed = 4 << 20
	// loose is by how much the ends of a hinge's parts lie beyond what bounds say of them. The triangle keeps them in; beyond it the ends never bind.
	loose = 4
	// above is how much more than 0 a cost must be to end a program early, as a share of its size: below it a proof would get lost in rounding.
	above = 1e-7
)

// relax makes the program of a case over a snapshot's problem; ok is false where there is none.
func relax(ctx context.Context, s *bound.Snapshot, problem int, c *Case) (q *relaxed, ok bool, err error) {
	t, ok, err := s.Straight(ctx, problem, c.Rows)
	if !ok || err != nil {
		return nil, false, err
	}
	q = &relaxed{c: c, t: t, place: map[bound.Split]int{}}
	box := s.Box(problem)
	q.base = make([]float64, len(box.Lower))
	for i, l := range box.Lower {
		q.base[i] = l
		if l < box.Upper[i] {
			q.inputs = append(q.inputs, int32(i))
		}
	}
	h := len(t.Hinges)
	n := q.columns()
	q.tri = make([]int, h)
	for u, r := range q.rising() {
		if q.tri[u] = -1; !r {
			q.tri[u] = h + q.tris
			q.tris++
		}
	}
	rows := h + q.tris + len(c.Rows)
	if (n+1)*rows > maxRelaxed {
		return nil, false, nil
	}
	q.lo, q.up, q.side = make([]float64, h), make([]float64, h), make([]int8, h)
	inf := math.Inf(1)
	p := &lp.Program{Lower: make([]float64, n+rows), Upper: make([]float64, n+rows), Const: make([]float64, rows), Rows: make([][]float64, rows),
		Cost: q.costAt()}
	for i := range p.Rows {
		p.Rows[i] = make([]float64, n)
	}
	for k, i := range q.inputs {
		p.Lower[k], p.Upper[k] = box.Lower[i], box.Upper[i]
	}
	// form writes factor times what hinge or row u reads into a row.
	form := func(row int, factor float64, u int) {
		r := p.Rows[row]
		sum := t.Const[u]
		for k, i := range q.inputs {
			r[k] += factor * t.Input[u][i]
		}
		for i, a := range t.Input[u] {
			if box.Lower[i] == box.Upper[i] {
				sum += a * box.Lower[i]
			}
		}
		for k, a := range t.Hinge[u] {
			r[q.yAt(k)] += factor * a
		}
		p.Const[row] += factor * sum
	}
	for u, e := range t.Hinges {
		q.place[e] = u
		lo, up := s.Range(int(e.Slot), problem, e.Elem)
		if !(lo < 0) || !(up > 0) || math.IsInf(lo, 0) || math.IsInf(up, 0) {
			return nil, false, nil
		}
		q.lo[u], q.up[u] = lo, up
		p.Upper[q.yAt(u)] = loose * up
		form(u, -1, u)
		p.Rows[u][q.yAt(u)]++
		p.Upper[q.sAt(u)] = -loose * lo
		if q.tri[u] < 0 {
			continue
		}
		tri := p.Rows[q.tri[u]]
		for j, a := range p.Rows[u] {
			tri[j] = a / lo
		}
		tri[q.yAt(u)] -= 1 / up
		p.Const[q.tri[u]] = 1 + p.Const[u]/lo
		p.Upper[q.triAt(u)] = 1
	}
	for k := range c.Rows {
		row := h + q.tris + k
		if k > 0 {
			form(row, -1, h+k)
			p.Const[row] += c.Bound[k]
		}
		form(row, 1, h)
		p.Const[row] -= c.Bound[0]
		if len(c.Rows) > 1 {
			p.Rows[row][q.belowAt(0)] = 1
		}
		p.Upper[n+row] = inf
	}
	p.Lower[q.costAt()] = -inf
	// The size of what rows are made of: nothing lies farther from the cost.
	for k := range c.Rows {
		row := h + q.tris + k
		sum := math.Abs(p.Const[row])
		for j, a := range p.Rows[row] {
			sum += math.Abs(a) * max(math.Abs(p.Lower[j]), math.Abs(p.Upper[j]))
		}
		q.size = max(q.size, sum)
	}
	if len(c.Rows) > 1 {
		p.Upper[q.belowAt(0)] = 4*q.size + 1
	}
	for i := range p.Rows {
		for _, a := range append(p.Rows[i], p.Const[i]) {
			if math.IsNaN(a) || math.IsInf(a, 0) {
				return nil, false, nil
			}
		}
	}
	q.limit = above * q.size
	q.solver, err = lp.New(p)
	if err != nil { // columns too wide for numbers
		return nil, false, nil
	}
	q.x = make([]float64, len(q.base))
	q.y, q.z, q.above = make([]float64, h), make([]float64, h), make([]float64, h)
	return q, true, nil
}

// rising tells of which hinges more out of them never lowers a row: directly, or by way of later ones.
func (q *relaxed) rising() []bool {
	h := len(q.t.Hinges)
	out := make([]bool, h)
	for u := h - 1; u >= 0; u-- {
		out[u] = true
		for v := u + 1; v < len(q.t.Hinge); v++ {
			a := q.t.Hinge[v][u]
			if a < 0 || v < h && a > 0 && !out[v] {
				out[u] = false
				break
			}
		}
	}
	return out
}

// sides gives hinges the sides that some splits say, and no others any.
func (q *relaxed) sides(splits []bound.Split) {
	want := make([]int8, len(q.side))
	for _, e := range splits {
		w := int8(-1)
		if e.On {
			w = 1
		}
		e.On = false
		if u, ok := q.place[e]; ok {
			want[u] = w
		}
	}
	for u, w := range want {
		if w != q.side[u] {
			q.give(u, w)
		}
	}
}

// give gives a hinge a side, or takes it away.
func (q *relaxed) give(u int, side int8) {
	q.side[u] = side
	y, s, tri := loose*q.up[u], -loose*q.lo[u], 0.0
	switch side {
	case -1:
		y = 0
	case 1:
		s = 0
	}
	if side != 0 {
		tri = 1 - 2*loose
	}
	q.solver.Bound(q.yAt(u), 0, y)
	q.solver.Bound(q.sAt(u), 0, s)
	if q.tri[u] >= 0 {
		q.solver.Bound(q.triAt(u), tri, 1)
	}
}

// point takes the program's inputs over and runs the network at them: it returns what the cost is there.
func (q *relaxed) point() float64 {
	copy(q.x, q.base)
	for k, i := range q.inputs {
		lo, up := q.solver.Bounds(k)
		v := q.solver.Value(k)
		// Next to an end is on it, but for rounding.
		if tiny := 1e-9 * (up - lo); v < lo+tiny {
			v = lo
		} else if v > up-tiny {
			v = up
		}
		q.x[i] = v
	}
	return q.run()
}

// run gives the cost at x.
func (q *relaxed) run() float64 {
	h := len(q.t.Hinges)
	reads := func(u int) float64 {
		sum := q.t.Const[u]
		for i, a := range q.t.Input[u] {
			sum += a * q.x[i]
		}
		for k, a := range q.t.Hinge[u] {
			if a != 0 {
				sum += a * q.y[k]
			}
		}
		return sum
	}
	for u := range q.y {
		q.y[u] = 0
	}
	for u := range h {
		q.z[u] = reads(u)
		q.y[u] = max(0, q.z[u])
	}
	cost := math.Inf(-1)
	for k, b := range q.c.Bound {
		cost = max(cost, reads(h+k)-b)
	}
	return cost
}

// gap is by how much a hinge's parts are both more than 0.
func (q *relaxed) gap(u int) float64 {
	return max(0, min(q.solver.Value(q.yAt(u)), q.solver.Value(q.sAt(u))))
}

// price is the cost's derivative in what comes out of a hinge.
func (q *relaxed) price(u int) float64 {
	price := q.d[q.yAt(u)] + q.d[q.sAt(u)] - q.above[u]
	if q.tri[u] >= 0 {
		price -= q.d[q.triAt(u)] * (q.up[u] - q.lo[u]) / (q.up[u] * -q.lo[u])
	}
	return price
}

// solve goes on from where the last part ended, and reads the multipliers.
func (q *relaxed) solve(limit float64) lp.Status {
	status := q.solver.Solve(limit, maxPivots)
	q.d = slices.Grow(q.d[:0], q.solver.Variables())[:q.solver.Variables()]
	q.solver.Multipliers(q.d)
	clear(q.above)
	for _, c := range q.cuts {
		q.above[c.hinge] += max(0, q.d[c.v])
	}
	return status
}

// multipliers writes the program's multipliers as a laid node's: slopes, multipliers of sides, and weights of the case's rows.
//
// With d of y, of s and of g = lo*up*(triangle), the coefficient in front of the hinge is d(y) + d(s) + d(g)*(lo-up), and what goes down from it
// d(s) - up*d(g): a slope of the lower line where both are positive. An upper end of y or s that is said to bind lies on the triangle, and is written
// as what that is made of.
func (q *relaxed) multipliers(l *bound.Laid, of *bound.Snapshot, splits []bound.Split) (weight []float64) {
	u := 0
	for k := range of.Slots() {
		a := l.Alpha(0, k)
		for e := range a {
			y, s, g := q.parts(u, false)
			if c := y + s + g*(q.lo[u]-q.up[u]); c > 0 {
				a[e] = min(1, max(0, (s-q.up[u]*g)/c))
			}
			u++
		}
	}
	beta := l.Beta(0)
	for i, e := range splits {
		on := e.On
		e.On = false
		if u, ok := q.place[e]; ok {
			y, s, _ := q.parts(u, true)
			if on {
				s = y
			}
			beta[i] = max(0, s)
		}
	}
	l.Moved(0)
	weight = make([]float64, len(q.c.Rows))
	if len(weight) == 1 {
		return []float64{1}
	}
	sum := 0.0
	for k := range weight {
		weight[k] = max(0, q.d[q.belowAt(k)])
		sum += weight[k]
	}
	if !(sum > 0) || math.IsInf(sum, 0) {
		return q.c.level()
	}
	return weight
}

// literal is a split as a tree knows it.
func (q *relaxed) literal(e bound.Split) int32 {
	x := int32(0)
	if e.On {
		x = 1
	}
	e.On = false
	u, ok := q.place[e]
	if !ok {
		return -1
	}
	return int32(2*u) + x
}

// needed are the sides that the multipliers rest on: where a part that a side takes away would lower the form if it were there.
func (q *relaxed) needed() []int32 {
	largest := 0.0
	for _, d := range q.d {
		largest = max(largest, math.Abs(d))
	}
	var out []int32
	for u, side := range q.side {
		switch {
		case side < 0 && q.d[q.yAt(u)] < -needs*largest:
			out = append(out, int32(2*u))
		case side > 0 && q.d[q.sAt(u)] < -needs*largest:
			out = append(out, int32(2*u)+1)
		}
	}
	return out
}

// needs is what share of the largest multiplier one must have to be needed.
const needs = 1e-6

// parts are the multipliers of y, s and g of a hinge, with those of upper ends, which others imply, written as these.
func (q *relaxed) parts(u int, sided bool) (y, s, g float64) {
	lo, up := q.lo[u], q.up[u]
	y, s = q.d[q.yAt(u)], q.d[q.sAt(u)]
	if q.tri[u] < 0 {
		return y, s, 0
	}
	g = q.d[q.triAt(u)] / (-lo * up)
	if g < 0 { // -lo*up - g = -lo*y + up*s
		y, s, g = y-g*-lo, s-g*up, 0
	}
	if sided {
		return y, s, 0
	}
	if y < 0 { // up - y = (g + up*s) / -lo
		g, s, y = g-y/-lo, s-up*y/-lo, 0
	}
	if s < 0 { // -lo - s = (g - lo*y) / up
		g, y, s = g-s/up, y+lo*s/up, 0
	}
	return y, s, g
}

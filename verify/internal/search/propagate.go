package search

import "math"

// spread are the linear constraints that all points that meet the case keep, for intervals to be passed around in: of inputs, of each hinge's parts y
// and s, and of what is left to its triangle. It tells branching which inputs have no choice left, and proves nothing.
type spread struct {
	rows           []sparse
	lower, upper   []float64 // at first
	lo, up         []float64 // at work
	inputs, hinges int
}

// sparse is lo <= sum of coef*variable <= up.
type sparse struct {
	at     []int32
	coef   []float64
	lo, up float64
}

func (s *sparse) add(v int, c float64) {
	if c == 0 {
		return
	}
	for k, a := range s.at {
		if int(a) == v {
			s.coef[k] += c
			return
		}
	}
	s.at, s.coef = append(s.at, int32(v)), append(s.coef, c)
}

// Variables: inputs, then each hinge's y, s and g.
func (p *spread) y(u int) int { return p.inputs + u }
func (p *spread) s(u int) int { return p.inputs + p.hinges + u }
func (p *spread) g(u int) int { return p.inputs + 2*p.hinges + u }

// spread writes a program's constraints.
func (q *relaxed) spread() *spread {
	h := len(q.side)
	p := &spread{inputs: len(q.inputs), hinges: h}
	n := p.inputs + 3*h
	p.lower, p.upper = make([]float64, n), make([]float64, n)
	p.lo, p.up = make([]float64, n), make([]float64, n)
	for k := range q.inputs {
		p.lower[k], p.upper[k] = q.solver.Bounds(k)
	}
	// reads adds factor times what u reads, and gives its constant.
	reads := func(r *sparse, u int, factor float64) float64 {
		sum := q.t.Const[u]
		for i, a := range q.t.Input[u] {
			sum += a * q.base[i]
		}
		for k, i := range q.inputs {
			sum -= q.t.Input[u][i] * q.base[i]
			r.add(k, factor*q.t.Input[u][i])
		}
		for k, a := range q.t.Hinge[u] {
			r.add(p.y(k), factor*a)
		}
		return factor * sum
	}
	for u := range h {
		lo, up := q.lo[u], q.up[u]
		p.upper[p.y(u)], p.upper[p.s(u)], p.upper[p.g(u)] = up, -lo, 1
		var r sparse
		c := reads(&r, u, -1)
		r.add(p.y(u), 1)
		r.add(p.s(u), -1)
		r.lo, r.up = -c, -c
		p.rows = append(p.rows, r, sparse{[]int32{int32(p.y(u)), int32(p.s(u)), int32(p.g(u))}, []float64{1 / up, -1 / lo, 1}, 1, 1})
	}
	for k, b := range q.c.Bound {
		var r sparse
		c := reads(&r, h+k, 1)
		r.lo, r.up = math.Inf(-1), b-c
		p.rows = append(p.rows, r)
		// The same with y written as what its triangle leaves, where more of it lowers the row: its own interval says too little there.
		var t sparse
		c = 0
		for i, v := range r.at {
			u := int(v) - p.inputs
			a := r.coef[i]
			if u < 0 || u >= h || a >= 0 && -q.lo[u] > settled*q.up[u] {
				t.add(int(v), a)
				continue
			}
			if a >= 0 { // on but for rounding
				c += reads(&t, u, a)
				t.add(p.s(u), a)
				continue
			}
			slope := q.up[u] / (q.up[u] - q.lo[u])
			c += reads(&t, u, a*slope) - a*slope*q.lo[u]
			t.add(p.g(u), a*slope*q.lo[u])
		}
		t.lo, t.up = math.Inf(-1), r.up-c
		p.rows = append(p.rows, t)
	}
	return p
}

// sweeps is how often intervals are passed through all constraints at most, and settled how much of its first width a variable must lose to count.
const (
	sweeps  = 30
	settled = 1e-3
)

// pass passes intervals around with the program's sides given.
func (p *spread) pass(q *relaxed) {
	copy(p.lo, p.lower)
	copy(p.up, p.upper)
	for u, side := range q.side {
		switch side {
		case -1:
			p.up[p.y(u)] = 0
		case 1:
			p.up[p.s(u)] = 0
		}
	}
	for range sweeps {
		moved := false
		for i := range p.rows {
			moved = p.row(&p.rows[i]) || moved
		}
		for u := range p.hinges {
			// One of both parts is 0.
			if y, s := p.y(u), p.s(u); p.lo[y] > settled*p.upper[y] && p.up[s] > 0 {
				p.up[s], moved = 0, true
			} else if p.lo[s] > settled*p.upper[s] && p.up[y] > 0 {
				p.up[y], moved = 0, true
			}
		}
		if !moved {
			break
		}
	}
}

func (p *spread) row(r *sparse) (moved bool) {
	least, most := 0.0, 0.0
	for k, v := range r.at {
		if a := r.coef[k]; a > 0 {
			least, most = least+a*p.lo[v], most+a*p.up[v]
		} else {
			least, most = least+a*p.up[v], most+a*p.lo[v]
		}
	}
	for k, v := range r.at {
		a := r.coef[k]
		if a == 0 {
			continue
		}
		tiny := settled * (p.upper[v] - p.lower[v])
		l, u := a*p.lo[v], a*p.up[v]
		if a < 0 {
			l, u = u, l
		}
		// What the others leave for this one.
		high, low := (r.up-(least-l))/a, (r.lo-(most-u))/a
		if a < 0 {
			high, low = low, high
		}
		// Ends that cross do by rounding, or because nothing is left, which a program finds out.
		if high = max(high, p.lo[v]); high < p.up[v]-tiny {
			p.up[v], moved = high, true
		}
		if low = min(low, p.up[v]); low > p.lo[v]+tiny {
			p.lo[v], moved = low, true
		}
	}
	return moved
}

// fixed tells whether a variable has no choice left to speak of.
func (p *spread) fixed(v int) bool { return p.up[v]-p.lo[v] <= 10*settled*(p.upper[v]-p.lower[v]) }

// pull says of hinges how much what they read has to do with hinges that points of the case may still be torn at, and with the shorter of these the
// more: where the cost is flat, these are what a side runs against. It is 1 for the hinge that has most of it. Source: Jeroslow and Wang 1990.
func (q *relaxed) pull() []float64 {
	if q.passed == nil {
		q.passed = q.spread()
	}
	p := q.passed
	p.pass(q)
	weight := make([]float64, p.inputs)
	for u := range q.side {
		if q.tri[u] >= 0 || p.up[p.y(u)] > settled*q.up[u] {
			continue
		}
		free, most := 0, q.t.Const[u]
		for k, i := range q.inputs {
			if a := q.t.Input[u][i]; a != 0 {
				most += max(a*p.lo[k], a*p.up[k])
				if !p.fixed(k) {
					free++
				}
			}
		}
		if most <= 20*settled*q.up[u] { // it has its side
			continue
		}
		for k, i := range q.inputs {
			if q.t.Input[u][i] != 0 && !p.fixed(k) {
				weight[k] += math.Exp2(-float64(min(free, 200)))
			}
		}
	}
	out, most := make([]float64, len(q.side)), 0.0
	for u := range out {
		if q.side[u] == 0 && q.tri[u] >= 0 {
			for k, i := range q.inputs {
				out[u] += math.Abs(q.t.Input[u][i]) * weight[k]
			}
			most = max(most, out[u])
		}
	}
	if most > 0 {
		for u := range out {
			out[u] /= most
		}
	}
	return out
}

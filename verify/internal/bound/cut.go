package bound

import (
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/kernel"
	"github.com/shallow-waters/shoal/internal/sound"
)

// Cut is a half-space of the inputs: coef*x <= most. A row over the points of a box that lie in it is bounded from below by what the row plus any
// non-negative multiple of coef*x - most is at least, and the multiple is chosen by what it leads to: one pass over sorted breakpoints finds the
// best, for the bound as a function of it is concave and piecewise linear. Source: Zhou et al. 2025 (Clip-and-Verify), section 3.
type Cut struct {
	coef []float64 // flat in the model's order of inputs
	most float64
}

// Violation is the half-space in which all points lie at which row i of a trace is at most limit: where the row is to be larger than that, the
// points that matter. ok is false where the trace knows nothing of the row. The trace may be used again.
func (t *Trace) Violation(i int, limit float64) (c Cut, ok bool) {
	most := sound.Up(limit - t.Const[i])
	if math.IsNaN(most) || math.IsInf(most, 0) {
		return Cut{}, false
	}
	for _, x := range t.Coef[i] {
		if !sound.Finite(x) {
			return Cut{}, false
		}
	}
	return Cut{slices.Clone(t.Coef[i]), most}, true
}

// storedCut is a cut as the rows of a pass meet it: by input value, in stored order.
type storedCut struct {
	coef [][]float64 // by input
	most float64

	// What follows is for finding multiples, in plain floating point; see over.
	lo, up   [][]float64 // by input: the box
	mid, rad [][]float64 // its middles and half widths; all cuts of a problem share them
	turn     [][]float64 // by input: coef times half width
	atMid    float64     // coef in the middle of the box
	size     float64     // of turn: the sum of magnitudes
	least    float64     // coef over the box
}

// over makes a problem's cuts ready for its box.
func over(cuts []storedCut, lo, up [][]float64) {
	var mid, rad [][]float64
	for k, l := range lo {
		m, r := make([]float64, len(l)), make([]float64, len(l))
		for i, x := range l {
			m[i], r[i] = 0.5*x+0.5*up[k][i], 0.5*up[k][i]-0.5*x
		}
		mid, rad = append(mid, m), append(rad, r)
	}
	for i := range cuts {
		c := &cuts[i]
		c.lo, c.up, c.mid, c.rad = lo, up, mid, rad
		for k, g := range c.coef {
			t := make([]float64, len(g))
			for j, x := range g {
				t[j] = x * rad[k][j]
			}
			c.turn = append(c.turn, t)
			c.atMid += kernel.Dot(g, mid[k])
			c.size += kernel.AbsSum(t)
		}
		c.least = c.atMid - c.size
	}
}

// overBox makes a problem's cuts ready, once its box is known.
func (p *pass) overBox(b int) {
	var lo, up [][]float64
	for _, id := range p.net.inputs {
		s := p.at(id, b)
		lo, up = append(lo, s.lo), append(up, s.up)
	}
	over(p.cuts[b], lo, up)
}

func (n *Network) storeCuts(cuts []Cut) []storedCut {
	var out []storedCut
	for _, c := range cuts {
		s := storedCut{most: c.most}
		at := 0
		for _, id := range n.inputs {
			v := n.values[id]
			x := make([]float64, v.n)
			v.order.Store(x, c.coef[at:at+v.n])
			s.coef = append(s.coef, x)
			at += v.n
		}
		out = append(out, s)
	}
	return out
}

// cut adds to rows that have come down to the inputs what their problems' cuts give: each of them takes the multiple of every cut, one after
// the other, that its bound is largest with. Rows stay windows until one takes a cut's form, which has no end.
func (t *rowsRun) cut() {
	p := t.p
	if p.cuts == nil {
		return
	}
	most := 0
	for _, b := range t.own {
		most = max(most, len(p.cuts[b]))
	}
	var m meeting
	by := make([]float64, len(t.own))
	for k := range most {
		taken := false
		for i, b := range t.own {
			if by[i] = 0; k < len(p.cuts[b]) {
				t.meets(i, &p.cuts[b][k], &m)
				by[i] = m.multiple()
				taken = taken || by[i] > 0
			}
		}
		if !taken {
			continue
		}
		t.widen()
		for i, b := range t.own {
			if by[i] > 0 {
				t.addCut(i, &p.cuts[b][k], by[i])
			}
		}
	}
}

// widen makes dense rows of what has come down to the inputs.
func (t *rowsRun) widen() {
	for _, id := range t.p.net.inputs {
		if t.pend[id] == nil {
			v := t.p.net.values[id]
			g := v.order.Geom
			t.pend[id] = &affine.Rows{N: len(t.own), H: g.H, W: g.W, C: g.C, Full: g, Data: t.w.Zero(len(t.own) * v.n)}
		} else {
			t.pend[id] = t.pend[id].Expand(t.w)
		}
	}
}

// meeting is a row that has come down to the inputs, and a cut of the box that it is bounded over.
type meeting struct {
	cut   *storedCut
	parts []stretch // where the row has coefficients
	n     int       // how many
	bs    breaks

	a, b  []float64 // there, for nearly: the row's coefficients and the cut's, each times half the input's width
	atMid float64   // the row in the middle of the box
	rest  float64   // the sum of the cut's magnitudes elsewhere
	none  []float64
}

// stretch are coefficients of a row at elements of an input from some on.
type stretch struct {
	row       []float64
	input, at int
}

func (m *meeting) begin(c *storedCut) { m.cut, m.parts, m.n = c, m.parts[:0], 0 }

func (m *meeting) add(row []float64, input, at int) {
	m.parts = append(m.parts, stretch{row, input, at})
	m.n += len(row)
}

// meets has row i meet a cut.
func (t *rowsRun) meets(i int, c *storedCut, m *meeting) {
	m.begin(c)
	for k, id := range t.p.net.inputs {
		r := t.pend[id]
		if r == nil {
			continue
		}
		if r.Index != nil {
			r = r.Expand(t.w)
			t.pend[id] = r
		}
		row := r.Row(i)
		r.Run(i, func(off, at, n int) { m.add(row[off:off+n], k, at) })
	}
}

// manyInputs are so many that the best multiple is looked for from afar, and not among breakpoints.
const manyInputs = 64

// multiple is the multiple of the cut with which the row is bounded best; about the best is as sound.
func (m *meeting) multiple() float64 {
	if m.n >= manyInputs {
		if x, ok := m.nearly(); ok {
			return x
		}
	}
	return m.best()
}

// best is the best multiple but for rounding, found among the breakpoints.
func (m *meeting) best() float64 {
	bs, c := &m.bs, m.cut
	bs.at, bs.drop = bs.at[:0], bs.drop[:0]
	// By how much the corner where the row is least lies beyond the cut: the bound's derivative in the multiple. Where the row has no coefficient, the
	// corner is where the cut's form is least.
	over := c.least - c.most
	for _, p := range m.parts {
		lows, ups := c.lo[p.input][p.at:], c.up[p.input][p.at:]
		for j, g := range c.coef[p.input][p.at : p.at+len(p.row)] {
			if g == 0 {
				continue
			}
			a, lo, up := p.row[j], lows[j], ups[j]
			over -= min(g*lo, g*up)
			// The corner has lo where the coefficient a + multiple*g is positive.
			switch {
			case a > 0 || a == 0 && g > 0:
				over += g * lo
				if g < 0 && lo < up {
					bs.add(-a/g, -g*(up-lo))
				}
			default:
				over += g * up
				if g > 0 && lo < up {
					bs.add(-a/g, g*(up-lo))
				}
			}
		}
	}
	if !(over > 0) {
		return 0
	}
	x := bs.reach(over)
	if !sound.Finite(x) {
		return 0
	}
	return x
}

const (
	// nearSteps are how often nearly bends the bound's two lines together at most, and nearEnough is the share of what is gained that it may lose.
	nearSteps, nearEnough = 10, 1.0 / 64
)

// nearly is about the best multiple, without a branch for each input. Any corner of the box gives a line above the bound as a function of the
// multiple: that of a multiple's own corner touches it there. The best one lies between a multiple whose line rises and one whose line falls, and the
// two lines' crossing tells what it gains at most. The next is looked for on the way that slopes fall, over x/(x+r): along that they fall evenly
// where the coefficients of row and cut know nothing of each other, and r is the ratio of their magnitudes over the box. ok is false where that does
// not come to an end: where a few inputs decide, or no multiple is the best.
func (m *meeting) nearly() (x float64, ok bool) {
	inside := m.turned()
	none, rows := m.touches(0)
	if !(none.slope > 0) {
		return 0, true
	}
	rise, fall := none, m.farOut()
	r := rows / inside
	u0, d0, u1, d1, moved := 0.0, rise.slope, 1.0, fall.slope, 0 // the ends of the way, their slopes, and which of them the last step took
	most := none.at0
	for step := 0; ; step++ {
		if !(fall.slope < 0) || !(r > 0) || !sound.Finite(r) {
			return 0, false
		}
		// Regula falsi; an end that stays twice weighs half as much (the Illinois rule).
		u := u0 + (u1-u0)*(d0/(d0-d1))
		at := r * u / (1 - u)
		l, _ := m.touches(at)
		if y := l.at0 + l.slope*at; y > most {
			x, most = at, y
		}
		if l.slope > 0 {
			if moved > 0 {
				d1 /= 2
			}
			rise, u0, d0, moved = l, u, l.slope, 1
		} else {
			if moved < 0 {
				d0 /= 2
			}
			fall, u1, d1, moved = l, u, l.slope, -1
		}
		crossing := rise.at0 + rise.slope*((fall.at0-rise.at0)/(rise.slope-fall.slope))
		if crossing-most <= nearEnough*(most-none.at0) {
			return x, sound.Finite(x)
		}
		if step == nearSteps {
			return 0, false
		}
	}
}

// line is a line over the multiples of a cut.
type line struct{ at0, slope float64 }

// turned makes ready for touches: a linear form is least over a box at its middle's value less the sum of its coefficients' magnitudes, each times
// half the input's width. It gives that sum of the cut's coefficients where the row has some.
func (m *meeting) turned() (inside float64) {
	c := m.cut
	m.a, m.b, m.atMid = slices.Grow(m.a[:0], m.n)[:m.n], slices.Grow(m.b[:0], m.n)[:m.n], 0
	if len(m.none) < m.n {
		m.none = make([]float64, m.n)
	}
	at := 0
	for _, p := range m.parts {
		n := len(p.row)
		rad, none := c.rad[p.input][p.at:p.at+n], m.none[:n]
		kernel.Line(m.a[at:at+n], p.row, p.row, rad, rad, none, none)
		at += copy(m.b[at:], c.turn[p.input][p.at:p.at+n])
		m.atMid += kernel.Dot(p.row, c.mid[p.input][p.at:p.at+n])
	}
	inside = kernel.AbsSum(m.b)
	m.rest = max(0, c.size-inside)
	return inside
}

// touches is the line that touches the row's bound at a multiple, and by how much the row's own part of the form with that multiple of the cut's is
// less than in the middle of the box.
func (m *meeting) touches(x float64) (l line, rows float64) {
	a, b := kernel.Turned(x, m.a, m.b)
	return line{m.atMid - a, m.cut.atMid - m.cut.most - m.rest - b}, a
}

// farOut is the line that touches the bound at an infinite multiple.
func (m *meeting) farOut() line {
	b, a := kernel.Turned(0, m.b, m.a)
	return line{m.atMid - a, m.cut.atMid - m.cut.most - m.rest - b}
}

// addCut adds a multiple of a cut to row i. What rounding changes in a coefficient is paid at the largest input.
func (t *rowsRun) addCut(i int, c *storedCut, by float64) {
	mag := 0.0
	for k, id := range t.p.net.inputs {
		row, s := t.pend[id].Row(i), t.state(id, i)
		kernel.Plus(by, c.coef[k], row)
		mag += by*kernel.AbsDot(c.coef[k], s.mag) + kernel.AbsDot(row, s.mag)
	}
	off := by * c.most
	t.addConst(i, -off)
	t.e[i] += 4*sound.Unit*(mag+math.Abs(off)) + sound.Tiny
}

// breaks are where the derivative of a concave piecewise linear function drops, and by how much.
type breaks struct{ at, drop []float64 }

func (b *breaks) add(at, drop float64) { b.at, b.drop = append(b.at, at), append(b.drop, drop) }

// reach is the place at which all drops up to it add up to the derivative at 0, so that the function is largest there: quickselect by
// weight. Where they never do the function has no end, and the last place is given, from where on it only rises.
func (b *breaks) reach(derivative float64) float64 {
	at, drop := b.at, b.drop
	last := 0.0
	for len(at) > 0 {
		// The middle of three as pivot: the order of breaks is that of the inputs, which has runs.
		pivot := median(at[0], at[len(at)/2], at[len(at)-1])
		low, high := 0, len(at) // [0,low) < pivot, [high,n) > pivot
		sum, same := 0.0, 0.0
		for i := 0; i < high; {
			switch {
			case at[i] < pivot:
				sum += drop[i]
				at[low], at[i], drop[low], drop[i] = at[i], at[low], drop[i], drop[low]
				low++
				i++
			case at[i] > pivot:
				high--
				at[high], at[i], drop[high], drop[i] = at[i], at[high], drop[i], drop[high]
			default:
				same += drop[i]
				i++
			}
		}
		switch {
		case sum >= derivative:
			at, drop = at[:low], drop[:low]
		case sum+same >= derivative:
			return pivot
		default:
			derivative -= sum + same
			last = pivot
			if low == 0 && high == 0 { // a NaN among them
				return math.NaN()
			}
			at, drop = at[high:], drop[high:]
		}
	}
	return last
}

func median(a, b, c float64) float64 { return max(min(a, b), min(max(a, b), c)) }

// beside tells that a box has no point in a cut.
func (p *pass) beside(b int, cuts []storedCut) bool {
	for _, c := range cuts {
		sum, mag, terms := 0.0, 0.0, 0
		for k, id := range p.net.inputs {
			s := p.at(id, b)
			for j, g := range c.coef[k] {
				x := min(g*s.lo[j], g*s.up[j])
				sum += x
				mag += math.Abs(x)
				terms++
			}
		}
		if sum-sound.Gamma(terms+8)*mag-sound.Tiny > c.most {
			return true
		}
	}
	return false
}

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
	mid, rad [][]float64 // by input: middles and half widths of the box; all cuts of a problem share them
	turn     [][]float64 // by input: coef times half width
	atMid    float64     // coef in the middle of the box
	size     float64     // of turn: the sum of magnitudes
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
		c.mid, c.rad = mid, rad
		for k, g := range c.coef {
			t := make([]float64, len(g))
			for j, x := range g {
				t[j] = x * rad[k][j]
			}
			c.turn = append(c.turn, t)
			c.atMid += kernel.Dot(g, mid[k])
			c.size += kernel.AbsSum(t)
		}
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
// the other, that its bound is largest with.
func (t *rowsRun) cut() {
	p := t.p
	if p.cuts == nil || !slices.ContainsFunc(t.own, func(b int32) bool { return len(p.cuts[b]) > 0 }) {
		return
	}
	n := len(t.own)
	for _, id := range p.net.inputs {
		v := p.net.values[id]
		if t.pend[id] == nil {
			g := v.order.Geom
			t.pend[id] = &affine.Rows{N: n, H: g.H, W: g.W, C: g.C, Full: g, Data: t.w.Zero(n * v.n)}
		} else {
			t.pend[id] = t.pend[id].Expand(t.w)
		}
	}
	var m meeting
	for i, b := range t.own {
		for k := range p.cuts[b] {
			t.meets(i, &p.cuts[b][k], &m)
			if by := m.multiple(); by > 0 {
				t.addCut(i, m.cut, by)
			}
		}
	}
}

// meeting is a row that has come down to the inputs, and a cut of the box that it is bounded over.
type meeting struct {
	row, lo, up [][]float64 // by input, in stored order
	cut         *storedCut
	bs          breaks
	turn        [][]float64 // by input: row times half width, for nearly
	atMid       float64     // the row in the middle of the box
	none        []float64
}

func (m *meeting) begin(c *storedCut) {
	m.row, m.lo, m.up, m.cut = m.row[:0], m.lo[:0], m.up[:0], c
}

func (m *meeting) input(row, lo, up []float64) {
	m.row, m.lo, m.up = append(m.row, row), append(m.lo, lo), append(m.up, up)
}

// meets has row i meet a cut.
func (t *rowsRun) meets(i int, c *storedCut, m *meeting) {
	m.begin(c)
	for _, id := range t.p.net.inputs {
		s := t.state(id, i)
		m.input(t.pend[id].Row(i), s.lo, s.up)
	}
}

// manyInputs are so many that the best multiple is looked for from afar, and not among breakpoints.
const manyInputs = 64

// multiple is the multiple of the cut with which the row is bounded best; about the best is as sound.
func (m *meeting) multiple() float64 {
	inputs := 0
	for _, r := range m.row {
		inputs += len(r)
	}
	if inputs >= manyInputs {
		if x, ok := m.nearly(); ok {
			return x
		}
	}
	return m.best()
}

// best is the best multiple but for rounding, found among the breakpoints.
func (m *meeting) best() float64 {
	bs := &m.bs
	bs.at, bs.drop = bs.at[:0], bs.drop[:0]
	over := -m.cut.most // by how much the corner where the row is least lies beyond the cut: the bound's derivative in the multiple
	for k, row := range m.row {
		for j, g := range m.cut.coef[k] {
			if g == 0 {
				continue
			}
			a, lo, up := row[j], m.lo[k][j], m.up[k][j]
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
	m.turned()
	none, rows := m.touches(0)
	if !(none.slope > 0) {
		return 0, true
	}
	rise, fall := none, m.farOut()
	r := rows / m.cut.size
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
// the half width.
func (m *meeting) turned() {
	m.atMid = 0
	for k, row := range m.row {
		if len(m.turn) <= k {
			m.turn = append(m.turn, nil)
		}
		n := len(row)
		if len(m.none) < n {
			m.none = make([]float64, n)
		}
		m.turn[k] = slices.Grow(m.turn[k][:0], n)[:n]
		rad, none := m.cut.rad[k], m.none[:n]
		kernel.Line(m.turn[k], row, row, rad, rad, none, none)
		m.atMid += kernel.Dot(row, m.cut.mid[k])
	}
}

// touches is the line that touches the row's bound at a multiple, and by how much the row with that multiple of the cut's form is less than in the
// middle of the box, of which the row's own part is the first.
func (m *meeting) touches(x float64) (l line, rows float64) {
	l = line{m.atMid, m.cut.atMid - m.cut.most}
	for k := range m.row {
		a, b := kernel.Turned(x, m.turn[k], m.cut.turn[k])
		l.at0, l.slope = l.at0-a, l.slope-b
	}
	return l, m.atMid - l.at0
}

// farOut is the line that touches the bound at an infinite multiple.
func (m *meeting) farOut() line {
	l := line{m.atMid, m.cut.atMid - m.cut.most}
	for k := range m.row {
		b, a := kernel.Turned(0, m.cut.turn[k], m.turn[k])
		l.at0, l.slope = l.at0-a, l.slope-b
	}
	return l
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

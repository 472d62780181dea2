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

// stored are cuts as the rows of a pass meet them: by input value, in stored order.
type storedCut struct {
	coef [][]float64 // by input
	most float64
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
	var bs breaks
	for i, b := range t.own {
		for k := range p.cuts[b] {
			c := &p.cuts[b][k]
			if by := t.multiple(i, c, &bs); by > 0 {
				t.addCut(i, c, by)
			}
		}
	}
}

// manyInputs are so many that the best multiple is looked for from afar, and not among breakpoints.
const manyInputs = 64

// multiple is the multiple of a cut with which row i is bounded best; about the best is as sound.
func (t *rowsRun) multiple(i int, c *storedCut, bs *breaks) float64 {
	if t.p.net.nIn >= manyInputs {
		if x, ok := t.nearly(i, c, bs); ok {
			return x
		}
	}
	return t.best(i, c, bs)
}

// best is the best multiple of a cut for row i but for rounding, found among the breakpoints.
func (t *rowsRun) best(i int, c *storedCut, bs *breaks) float64 {
	bs.at, bs.drop = bs.at[:0], bs.drop[:0]
	over := -c.most // by how much the corner where the row is least lies beyond the cut: the bound's derivative in the multiple
	for k, id := range t.p.net.inputs {
		row, s := t.pend[id].Row(i), t.state(id, i)
		for j, g := range c.coef[k] {
			if g == 0 {
				continue
			}
			a, lo, up := row[j], s.lo[j], s.up[j]
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

// nearly is about the best multiple of a cut for row i, without a branch for each input. Any corner of the box gives a line above the bound as a
// function of the multiple: that of a multiple's own corner touches it there. The best one lies between a multiple whose line rises and one whose
// line falls, and the two lines' crossing tells what it gains at most. The next is looked for on the way that slopes fall, over x/(x+r): along
// that they fall evenly where the coefficients of row and cut know nothing of each other, and r is the ratio of their magnitudes. ok is false where
// that does not come to an end: where a few inputs decide, or no multiple is the best.
func (t *rowsRun) nearly(i int, c *storedCut, bs *breaks) (x float64, ok bool) {
	none := t.touches(i, c, 0, bs)
	if !(none.slope > 0) {
		return 0, true
	}
	rise, fall := none, t.touches(i, c, math.Inf(1), bs)
	rows, cuts := 0.0, 0.0
	for k, id := range t.p.net.inputs {
		rows += kernel.AbsSum(t.pend[id].Row(i))
		cuts += kernel.AbsSum(c.coef[k])
	}
	r := rows / cuts
	u0, d0, u1, d1, moved := 0.0, rise.slope, 1.0, fall.slope, 0 // the ends of the way, their slopes, and which of them the last step took
	most := none.at0
	for step := 0; ; step++ {
		if !(fall.slope < 0) || !(r > 0) || !sound.Finite(r) {
			return 0, false
		}
		// Regula falsi; an end that stays twice weighs half as much (the Illinois rule).
		u := u0 + (u1-u0)*(d0/(d0-d1))
		at := r * u / (1 - u)
		l := t.touches(i, c, at, bs)
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

// touches is the line that touches the bound of row i at a multiple of a cut, or far out where that is infinite.
func (t *rowsRun) touches(i int, c *storedCut, x float64, bs *breaks) line {
	l := line{slope: -c.most}
	for k, id := range t.p.net.inputs {
		row, g, s := t.pend[id].Row(i), c.coef[k], t.state(id, i)
		by := row
		switch {
		case math.IsInf(x, 1):
			by = g
		case x != 0:
			bs.at = append(bs.at[:0], row...)
			by = bs.at
			kernel.Plus(x, g, by)
		}
		bs.drop = slices.Grow(bs.drop[:0], len(row))[:len(row)]
		kernel.Pick(bs.drop, by, s.lo, s.up)
		l.at0 += kernel.Dot(row, bs.drop)
		l.slope += kernel.Dot(g, bs.drop)
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

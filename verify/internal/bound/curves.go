package bound

import (
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
)

// Ends are between what a curve's two parameters may lie, each within its Choice; see relax.Family.
type (
	Ends   = relax.Ends
	Choice = relax.Choice
)

// narrow is the width, relative to its ends, below which a curve on an interval counts as straight.
const narrow = 1e-7

// wide tells whether something may be chosen on an interval at all.
func wide(l, u float64) bool {
	return sound.Finite(u-l) && u-l > narrow*(math.Abs(l)+math.Abs(u)) && u-l > 1e-12
}

// open lists the elements of a curve of which there is something to choose over a problem.
func (s *Snapshot) open(v *value, problem int) (elems []int32, ends []relax.Ends) {
	in := s.at(v.in[0], problem)
	for j := range in.lo {
		l, u := s.operand(in.lo[j], in.up[j])
		if !wide(l, u) {
			continue
		}
		if e := v.family.Ends(l, u); e.Lo.Open() || e.Up.Open() {
			elems, ends = append(elems, int32(j)), append(ends, e)
		}
	}
	return elems, ends
}

// operand is pass.operands of one element.
func (s *Snapshot) operand(l, u float64) (lo, up float64) {
	if s.o.Float32 && l < sound.Flush && u > -sound.Flush {
		return min(l, 0), max(u, 0)
	}
	return l, u
}

// usual are the parameters of the lines that Lines gives.
func usual(ends []relax.Ends) []float64 {
	out := make([]float64, 2*len(ends))
	for u, e := range ends {
		out[2*u], out[2*u+1] = e.Lo.Usual, e.Up.Usual
	}
	return out
}

// curves is what a node has of a slot whose lines come out of a family, by unstable element: what its splits leave of the box, where parameters may
// lie, and for which of them the lines have been laid.
type curves struct {
	lo, up []float64
	ends   []relax.Ends
	laid   []float64
}

// curves gives a node's slot lines of its own, over what its splits leave of the box.
func (l *Laid) curves(i, k int) {
	n := l.nodes[i]
	v, unstable := l.s.slots[k], n.Of.unstable[k][n.Problem]
	st, in := l.p.at(v.id, i), n.Of.at(v.in[0], n.Problem)
	st.lines = relax.Lines{LoSlope: l.own(st.lines.LoSlope), LoIcept: l.own(st.lines.LoIcept), UpSlope: l.own(st.lines.UpSlope),
		UpIcept: l.own(st.lines.UpIcept)}
	st.ic = l.own(st.ic)
	c := &curves{lo: make([]float64, len(unstable)), up: make([]float64, len(unstable)), ends: n.Of.ends[k][n.Problem]}
	for u, j := range unstable {
		c.lo[u], c.up[u] = in.lo[j], in.up[j]
	}
	var cut []int
	for _, q := range n.Splits {
		u, ok := slices.BinarySearch(unstable, q.Elem)
		if int(q.Slot) != k || !ok {
			continue
		}
		if q.On {
			c.lo[u] = max(c.lo[u], q.At)
		} else {
			c.up[u] = min(c.up[u], q.At)
		}
		if cut == nil {
			c.ends = slices.Clone(c.ends)
		}
		cut = append(cut, u)
	}
	for _, u := range cut {
		lo, up := l.s.operand(c.lo[u], c.up[u])
		switch {
		case lo > up: // nothing that the box holds has all these sides
			l.p.empty[i] = true
			c.ends[u] = relax.Ends{}
		case !wide(lo, up):
			c.ends[u] = relax.Ends{} // the lines over the whole box serve
		default:
			c.ends[u] = v.family.Ends(lo, up)
			l.set(st, unstable[u], v.lines(l.p.slope, lo, up))
		}
	}
	if l.s.o.Float32 { // what lines of other slopes lose where their operand is flushed, see flushed
		if st.err = l.own(st.err); st.err == nil {
			st.err = l.p.arena.get(v.n)
		}
		for u, j := range unstable {
			if lo, up := l.s.operand(c.lo[u], c.up[u]); lo < up {
				st.err[j] += v.family.Steepest(lo, up) * sound.Flush * (1 + 0x1p-20)
			}
		}
	}
	l.alpha[i][k] = usual(c.ends)
	c.laid = usual(c.ends)
	l.curve[i][k] = c
}

// lines are the two lines of one element on an interval.
func (v *value) lines(s relax.Slope, lo, up float64) relax.Lines {
	m := make([]float64, 4)
	out := relax.Lines{LoSlope: m[:1], LoIcept: m[1:2], UpSlope: m[2:3], UpIcept: m[3:]}
	v.lin.Lines(s, []float64{lo}, []float64{up}, &out)
	return out
}

func (l *Laid) set(st *state, j int32, x relax.Lines) {
	st.lines.Set(int(j), x.LoSlope[0], x.LoIcept[0], x.UpSlope[0], x.UpIcept[0])
	st.ic[j] = max(math.Abs(x.LoIcept[0]), math.Abs(x.UpIcept[0]))
}

// bend takes a node's parameters of a curve over into its lines.
func (l *Laid) bend(node, k int) {
	n, c, a := l.nodes[node], l.curve[node][k], l.alpha[node][k]
	v, st := l.s.slots[k], l.p.at(l.s.slots[k].id, node)
	x := &st.lines
	for u, j := range n.Of.unstable[k][n.Problem] {
		e := &c.ends[u]
		a[2*u], a[2*u+1] = e.Lo.Clamp(a[2*u]), e.Up.Clamp(a[2*u+1])
		lo, up := l.s.operand(c.lo[u], c.up[u])
		if e.Lo.Open() && a[2*u] != c.laid[2*u] {
			if slope, icept := v.family.Lower(lo, up, a[2*u]); sound.Finite(slope) && sound.Finite(icept) {
				x.LoSlope[j], x.LoIcept[j] = slope, icept
			}
		}
		if e.Up.Open() && a[2*u+1] != c.laid[2*u+1] {
			if slope, icept := v.family.Upper(lo, up, a[2*u+1]); sound.Finite(slope) && sound.Finite(icept) {
				x.UpSlope[j], x.UpIcept[j] = slope, icept
			}
		}
		c.laid[2*u], c.laid[2*u+1] = a[2*u], a[2*u+1]
		st.ic[j] = max(math.Abs(x.LoIcept[j]), math.Abs(x.UpIcept[j]))
	}
}

// pull is the family's, of an element's lower or upper line.
func (l *Laid) pull(upper bool, node, slot, u int, z float64) float64 {
	c := l.curve[node][slot]
	e, p := c.ends[u].Lo, l.alpha[node][slot][2*u]
	if upper {
		e, p = c.ends[u].Up, l.alpha[node][slot][2*u+1]
	}
	if !e.Open() {
		return 0
	}
	return l.s.slots[slot].family.Pull(upper, c.lo[u], c.up[u], z, p)
}

// Ends are those of a curve's parameters at the unstable elements of a slot in a node; nil for hinges.
func (l *Laid) Ends(node, slot int) []Ends {
	if c := l.curve[node][slot]; c != nil {
		return c.ends
	}
	return nil
}

// Gap is how far the line that a row of coefficient c would take is from a curve, at z and in the middle of its interval, nearly.
func (l *Laid) Gap(node, slot, u int, z, c float64) (at, middle float64) {
	n, q := l.nodes[node], l.curve[node][slot]
	v, j := l.s.slots[slot], n.Of.unstable[slot][n.Problem][u]
	x := &l.p.at(v.id, node).lines
	gap := func(z float64) float64 {
		if c >= 0 {
			return v.family.Value(z) - x.LoSlope[j]*z - x.LoIcept[j]
		}
		return x.UpSlope[j]*z + x.UpIcept[j] - v.family.Value(z)
	}
	return max(0, gap(z)), max(0, gap(0.5*q.lo[u]+0.5*q.up[u]))
}

// Sway is by how much the bound of a row of coefficient c that takes a curve's usual line at z grows where the lower end of the curve's interval
// rises, and where the upper end falls: derivatives, nearly.
func (l *Laid) Sway(node, slot, u int, z, c float64) (lower, upper float64) {
	q, v := l.curve[node][slot], l.s.slots[slot]
	lo, up := q.lo[u], q.up[u]
	h := (up - lo) / 64
	if !wide(lo, up) {
		return 0, 0
	}
	at := func(lo, up float64) float64 {
		x, z := v.lines(l.p.slope, lo, up), min(max(z, lo), up)
		if c >= 0 {
			return c * (x.LoSlope[0]*z + x.LoIcept[0])
		}
		return c * (x.UpSlope[0]*z + x.UpIcept[0])
	}
	y := at(lo, up)
	return max(0, at(lo+h, up)-y) / h, max(0, at(lo, up-h)-y) / h
}

// Halve is where an element is best cut in two, by what the lines of both sides leave between them: one of some points, and 0. A hinge is cut at 0
// alone. ok is false where it cannot be cut.
func (l *Laid) Halve(node, slot, u int) (at float64, ok bool) {
	q, v := l.curve[node][slot], l.s.slots[slot]
	if q == nil {
		return 0, true
	}
	lo, up := q.lo[u], q.up[u]
	if !wide(lo, up) {
		return 0, false
	}
	area := func(lo, up float64) float64 {
		x, m := v.lines(l.p.slope, lo, up), 0.5*lo+0.5*up
		return (up - lo) * (x.UpSlope[0]*m + x.UpIcept[0] - x.LoSlope[0]*m - x.LoIcept[0])
	}
	least := math.Inf(1)
	for _, t := range [6]float64{lo + 0.5*(up-lo), 0, lo + 0.375*(up-lo), lo + 0.625*(up-lo), lo + 0.25*(up-lo), lo + 0.75*(up-lo)} {
		if !(t > lo+0.01*(up-lo) && t < up-0.01*(up-lo)) {
			continue
		}
		if a := area(lo, t) + area(t, up); a < least*(1-1e-6) {
			at, least, ok = t, a, true
		}
	}
	return at, ok
}

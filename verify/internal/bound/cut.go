package bound

import (
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/affine"
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

// multiple is the multiple of a cut with which row i is bounded best; about the best is as sound.
func (t *rowsRun) multiple(i int, c *storedCut, bs *breaks) float64 {
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

// addCut adds a multiple of a cut to row i. What rounding changes in a coefficient is paid at the largest input.
func (t *rowsRun) addCut(i int, c *storedCut, by float64) {
	mag := 0.0
	for k, id := range t.p.net.inputs {
		row, s := t.pend[id].Row(i), t.state(id, i)
		for j, g := range c.coef[k] {
			if g == 0 {
				continue
			}
			add := by * g
			row[j] += add
			mag += (math.Abs(add) + math.Abs(row[j])) * max(math.Abs(s.lo[j]), math.Abs(s.up[j]))
		}
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

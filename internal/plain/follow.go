package plain

import (
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/relax"
)

// What follows is for who looks for splits and parameters. No proof rests on it.

// Own is a byte that leaves a slope to the operator.
const Own = 255

// Trace is what a row left on its way: the coefficients in front of every value, and the form over the inputs. It is for who looks
// for parameters.
type Trace struct {
	Coef     [][]float64
	Constant float64 // of the form over the inputs, less what the row may be off: the row is at least that form on the whole part
}

// Bound is the state with every value's box bounded anew, with rows or without.
func (s *State) Bound(rows bool) (*State, error) {
	if rows {
		return s.Anew(0, len(s.net.values))
	}
	return s.Anew(0, 0)
}

// Halves are the parts of a state where an element is at most at, and where it is at least at: together they are the whole.
func (s *State) Halves(value, index int, at float64) (below, above *State) {
	return s.Half(Side{value, index, at, false}), s.Half(Side{value, index, at, true})
}

// Range is the interval of an element.
func (s *State) Range(value, index int) (lower, upper float64) {
	return s.box[value].Lower[index], s.box[value].Upper[index]
}

// Splits are the values that activations read and that are computed, by number and name: where a part can be split.
func (net *Network) Splits() (values []int, names []string) {
	for i, v := range net.values {
		if v.bent && v.def != nil && net.Named(v.name) == i {
			values, names = append(values, i), append(names, v.name)
		}
	}
	return values, names
}

// Hinge is a value of elements max(x, 0), x of value In. Its slopes begin at At of Parameters.Slopes.
type Hinge struct{ Value, In, At int }

// HingesOf are the network's hinges in the order of their slopes.
func (net *Network) HingesOf() []Hinge {
	var out []Hinge
	at := 0
	for i, v := range net.values {
		if v.hinge {
			out = append(out, Hinge{i, v.in[0], at})
			at += v.n
		}
	}
	return out
}

// Curve is a value of elements f(x) between two lines, x of value In, that is no hinge.
type Curve struct{ Value, In int }

// CurvesOf are the network's curves.
func (net *Network) CurvesOf() []Curve {
	var out []Curve
	for i, v := range net.values {
		if v.lines != nil && !v.hinge {
			out = append(out, Curve{i, v.in[0]})
		}
	}
	return out
}

// Gaps are by how much a curve's lines differ from it at points that it reads, the lower ones where low says so, and from each other in the middle of
// what it reads.
func (s *State) Gaps(c Curve, x []float64, low func(k int) bool) (at, middle []float64) {
	v, in := s.net.values[c.Value], s.box[c.In]
	p := &relax.Lines{LoSlope: make([]float64, v.n), LoIcept: make([]float64, v.n), UpSlope: make([]float64, v.n), UpIcept: make([]float64, v.n)}
	v.lines(relax.SlopeAdaptive, x, x, p)
	at, middle = make([]float64, v.n), make([]float64, v.n)
	for _, q := range s.laid(c.Value) { // others are 0
		k := q.k
		y, m := p.LoSlope[k]*x[k]+p.LoIcept[k], 0.5*in.Lower[k]+0.5*in.Upper[k]
		which := 1
		if low(k) {
			which = 0
		}
		at[k] = math.Abs(q.slope[which]*x[k] + q.icept[which] - y)
		middle[k] = (q.slope[1]-q.slope[0])*m + q.icept[1] - q.icept[0]
	}
	return at, middle
}

// Cut is where what element k of a curve reads is best split: where the lines of both parts leave least between them.
func (s *State) Cut(c Curve, k int) (at float64, ok bool) {
	v, in := s.net.values[c.Value], s.box[c.In]
	p := &relax.Lines{LoSlope: make([]float64, v.n), LoIcept: make([]float64, v.n), UpSlope: make([]float64, v.n), UpIcept: make([]float64, v.n)}
	lower, upper := slices.Clone(in.Lower), slices.Clone(in.Upper)
	area := func(l, u float64) float64 {
		lower[k], upper[k] = l, u
		v.lines(relax.SlopeAdaptive, lower, upper, p)
		return (u - l) * ((p.UpSlope[k]-p.LoSlope[k])*(0.5*l+0.5*u) + p.UpIcept[k] - p.LoIcept[k])
	}
	l, u := in.Lower[k], in.Upper[k]
	least := math.Inf(1)
	for _, t := range []float64{0.5*l + 0.5*u, 0, 0.75*l + 0.25*u, 0.25*l + 0.75*u} {
		if w := 0.01 * (u - l); !(t > l+w && t < u-w) {
			continue
		}
		if a := area(l, t) + area(t, u); a < least {
			at, least, ok = t, a, true
		}
	}
	return at, ok
}

// Sides is how many sides rows may use.
func (s *State) Sides() int { return len(s.sides) }

// SideAt is a side that rows may use.
func (s *State) SideAt(q int) Side { return s.sides[q] }

// At are the coefficients in front of a value; nil for none, also where the row broke off.
func (t *Trace) At(i int) []float64 {
	if t.Coef == nil {
		return nil
	}
	return t.Coef[i]
}

// Corner is where the form that a row ended in is least.
func (s *State) Corner(t *Trace) []float64 {
	var x []float64
	for _, i := range s.net.inputs {
		for k, l := range s.box[i].Lower {
			u := s.box[i].Upper[k]
			switch c := t.At(i); {
			case c != nil && c[k] > 0:
				x = append(x, l)
			case c != nil && c[k] < 0:
				x = append(x, u)
			default:
				x = append(x, 0.5*l+0.5*u)
			}
		}
	}
	return x
}

// Form is what the row ended in, over the flat inputs.
func (s *State) Form(t *Trace) []float64 {
	var a []float64
	for _, i := range s.net.inputs {
		if c := t.At(i); c != nil {
			a = append(a, c...)
		} else {
			a = append(a, make([]float64, s.net.values[i].n)...)
		}
	}
	return a
}

// Follow sends a point up through the lines that a row chose, and gives what every value becomes. Values that are known by forms of several
// inputs become the middle of their box.
func (s *State) Follow(t *Trace, slopes []byte, x []float64) [][]float64 {
	y := make([][]float64, len(s.net.values))
	at := 0
	for i, v := range s.net.values {
		y[i] = make([]float64, v.n)
		switch {
		case v.maps != nil:
			copy(y[i], v.bias)
			for m, a := range v.maps {
				a.up(y[i], y[v.in[m]])
			}
		case v.def == nil:
			x = x[copy(y[i], x):]
		case v.lines != nil:
			s.bent(i, y[i], y[v.in[0]], t.At(i), slopes, at)
		default:
			for k := range y[i] {
				y[i][k] = 0.5*s.box[i].Lower[k] + 0.5*s.box[i].Upper[k]
			}
		}
		if v.hinge {
			at += v.n
		}
	}
	return y
}

func (s *State) bent(i int, y, z, c []float64, slopes []byte, at int) {
	for _, l := range s.laid(i) { // others are 0
		slope, icept := l.slope[0], l.icept[0]
		switch {
		case c != nil && c[l.k] < 0:
			slope, icept = l.slope[1], l.icept[1]
		case l.free && slopes != nil && slopes[at+l.k] <= Steep:
			slope, icept = float64(slopes[at+l.k])/Steep, 0
		}
		y[l.k] = slope*z[l.k] + icept
	}
}

// up adds A*x to y.
func (m *matrix) up(y, x []float64) {
	for i := range m.out {
		for s := m.start[i]; s < m.start[i+1]; s++ {
			y[i] += dot(m.coef[m.off[s]:m.off[s]+m.n[s]], x[m.at[s]:])
		}
	}
}

// dot keeps four sums, which a processor adds up side by side.
func dot(a, x []float64) float64 {
	var p, q, r, s float64
	x = x[:len(a)]
	for len(a) >= 4 {
		p, q, r, s = p+a[0]*x[0], q+a[1]*x[1], r+a[2]*x[2], s+a[3]*x[3]
		a, x = a[4:], x[4:]
	}
	for k, w := range a {
		p += w * x[k]
	}
	return (p + q) + (r + s)
}

// OutputsOf are the flat outputs of what Follow gave.
func (net *Network) OutputsOf(y [][]float64) []float64 {
	var out []float64
	for _, o := range net.outputs {
		out = append(out, y[o]...)
	}
	return out
}

// Hinges are how many elements slopes are of.
func (net *Network) Hinges() int { return net.hinges }

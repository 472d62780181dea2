package plain

import (
	"fmt"
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/verify/certificate"
)

// Steep is the byte of slope 1.
const Steep = 128

// row is a linear form on its way down: sum of coef[i]*value i, plus constant, is at most what was asked.
//
// Rounding: what the computed coefficients differ from the exact ones, times the largest magnitudes of what they stand in front of, is
// collected in off and subtracted in the end. Constants are rounded down one by one.
type row struct {
	s        *State
	coef     [][]float64 // by value; nil for zeros
	memory   [][]float64 // that they lie in
	constant float64
	off      float64
}

// row is one of zeros, in memory that another has left or of its own.
func (s *State) row() *row {
	n, last := len(s.net.values), len(*s.spare)-1
	if last < 0 {
		return &row{s: s, coef: make([][]float64, n), memory: make([][]float64, n)}
	}
	r := (*s.spare)[last]
	*s.spare = (*s.spare)[:last]
	*r = row{s: s, coef: r.coef, memory: r.memory}
	return r
}

// into are the coefficients of a value.
func (r *row) into(i int) []float64 {
	if r.coef[i] == nil {
		if r.memory[i] == nil {
			r.memory[i] = make([]float64, r.s.net.values[i].n)
		}
		r.coef[i] = r.memory[i]
		clear(r.coef[i])
	}
	return r.coef[i]
}

// add adds y, which may be off by some number, to the coefficient of an element.
func (r *row) add(i, k int, y, off float64) {
	c := r.into(i)
	was := c[k]
	if c[k] += y; was != 0 {
		off = sound.AddUp(off, sound.MulUp(sound.Unit, math.Abs(c[k])))
	}
	r.lose(off, i, k)
}

// lose notes that the coefficient of an element may be off.
func (r *row) lose(by float64, i, k int) {
	if by != 0 {
		r.off = sound.AddUp(r.off, sound.MulUp(by, r.s.box[i].Magnitude(k)))
	}
}

// fit is an error where parameters are none of the part's.
func (s *State) fit(p certificate.Disproof) error {
	n := s.net.hinges
	if p.Slopes != nil && len(p.Slopes) != n || p.Fine != nil && len(p.Fine) != n || p.Beta != nil && len(p.Beta) != len(s.sides) {
		return fmt.Errorf("%d slopes for %d hinges, %d multipliers for %d sides", len(p.Slopes)+len(p.Fine), n, len(p.Beta), len(s.sides))
	}
	beyond := func(most float64) func(float64) bool { return func(x float64) bool { return !(x >= 0 && x <= most) } }
	if slices.ContainsFunc(p.Fine, beyond(1)) || slices.ContainsFunc(slices.Concat(p.Weights, p.Beta), beyond(math.MaxFloat64)) {
		return fmt.Errorf("a slope, weight or multiplier out of range")
	}
	for _, c := range p.Ceilings {
		if c.Hinge < 0 || c.Hinge >= n || len(c.Slope) != s.net.In || !(c.Times >= 0) || math.IsInf(c.Times, 0) {
			return fmt.Errorf("a ceiling of hinge %d, of %d inputs, by a multiplier of %v", c.Hinge, len(c.Slope), c.Times)
		}
	}
	return nil
}

// lower is the lower slope that parameters give a hinge, by its place among all; ok is false where they leave it to the operator, and where it
// is not free to be any.
func lower(p *certificate.Disproof, k int, free bool) (x float64, ok bool) {
	switch {
	case free && p.Fine != nil:
		return p.Fine[k], true
	case free && p.Slopes != nil && p.Slopes[k] <= Steep:
		return float64(p.Slopes[k]) / Steep, true
	}
	return 0, false
}

// down takes the row from value top to the inputs, and gives its least value there, -Inf where nothing is known.
func (r *row) down(top int, p certificate.Disproof, t *Trace) float64 {
	for i := top; i >= 0; i-- {
		v := r.s.net.values[i]
		for _, q := range p.Ceilings {
			if v.hinge && v.at <= q.Hinge && q.Hinge < v.at+v.n {
				r.under(i, q.Hinge-v.at, q)
			}
		}
		r.sides(i, p.Beta)
		c := r.coef[i]
		if v.maps == nil && !sound.AllFinite(c) { // a sum's size tells
			return math.Inf(-1)
		}
		switch {
		case c == nil || v.input():
			continue
		case v.maps != nil:
			r.affine(i, c)
		case v.lines != nil:
			r.bend(i, c, &p)
		default:
			r.replace(i, c)
		}
	}
	if r.s.half != nil {
		r.within(r.s.half)
	}
	if t != nil {
		t.Coef, t.Constant = r.coef, sound.AddDown(r.constant, -r.off)
	}
	low := r.constant
	for _, i := range r.s.net.inputs {
		for k, c := range r.into(i) {
			low = sound.AddDown(low, min(sound.MulDown(c, r.s.box[i].Lower[k]), sound.MulDown(c, r.s.box[i].Upper[k])))
		}
	}
	if t == nil {
		clear(r.coef)
		*r.s.spare = append(*r.s.spare, r)
	}
	if low = sound.AddDown(low, -r.off); math.IsNaN(low) {
		return math.Inf(-1)
	}
	return low
}

// sides takes the terms of known sides of value i: beta*(z-t) of z <= t, or beta*(t-z) of z >= t, which is at most 0.
func (r *row) sides(i int, beta []float64) {
	for q, b := range beta {
		side := r.s.sides[q]
		if side.Value != i || b == 0 {
			continue
		}
		if side.Above {
			b = -b
		}
		r.add(i, side.Index, b, 0)
		r.constant = sound.AddDown(r.constant, sound.MulDown(-b, side.At))
	}
}

// affine passes y = sum of A*x + b. State.affine has found what each coefficient loses on its way; the sum of these is off by less than a share of
// 2^-20, and is NaN where the constant left the range of float64, so that nothing is known. What other readers of x gave its coefficient before
// takes part in column of the sums, and is paid by itself.
func (r *row) affine(i int, c []float64) {
	v, lost := r.s.net.values[i], r.s.lost[i][:len(c)]
	size, constant := 0.0, 0.0
	for k, b := range v.bias[:len(c)] {
		if x := c[k]; x != 0 {
			size, constant = size+math.Abs(x)*lost[k], constant+x*b
		}
	}
	for m, a := range v.maps {
		in := v.in[m]
		if v.exact && a.column <= 1 && r.coef[in] == nil { // elements move
			a.down(r.into(in), c)
			return
		}
		for k, x := range r.coef[in] {
			r.lose(sound.MulUp(sound.Gamma(a.column+8), math.Abs(x)), in, k)
		}
		if t := r.s.thin[i]; t != nil {
			a = t
		}
		a.down(r.into(in), c)
	}
	r.constant = sound.AddDown(r.constant, constant)
	r.off = sound.AddUp(r.off, sound.AddUp(sound.MulUp(size+0*constant, 1+0x1p-20), r.s.least[i]))
}

// bend replaces every element by one of its lines: the lower one where its coefficient is positive, else the upper one.
//
// A coefficient's product and its sum with what other readers gave are off by at most sound.Unit of themselves, and the sum of n intercepts by
// sound.Gamma(n+1) of their magnitudes; what these are of adds up in size, by 3*n+4 operations of its own: the counts add up. Each product may
// lose 2^-1074 beside, times what it stands in front of, which adds up in reach, with room for its rounding.
func (r *row) bend(i int, c []float64, p *certificate.Disproof) {
	v, lines := r.s.net.values[i], r.s.laid(i)
	d := r.into(v.in[0])[:len(c)]
	size, reach, constant := 0.0, 0.0, 0.0
	for n := range lines {
		l := &lines[n]
		k, x := l.k, c[l.k]
		if x == 0 {
			continue
		}
		upper := math.Float64bits(x) >> 63
		slope, icept := l.slope[upper], l.icept[upper]
		if a, ok := lower(p, v.at+k, l.free && upper == 0); ok {
			slope, icept = a, 0
		}
		exact, y := slope == 0 || slope == 1 && d[k] == 0, x*slope
		if d[k] += y; !exact {
			size, reach = size+(math.Abs(y)+math.Abs(d[k]))*l.size, reach+l.size
		}
		if icept != 0 {
			constant, size, reach = constant+x*icept, size+math.Abs(x*icept), reach+1
		}
	}
	if size != 0 || reach != 0 {
		r.constant = sound.AddDown(r.constant, constant)
		lost := sound.MulUp(sound.Gamma(4*len(c)+8), sound.AddUp(size, sound.Tiny))
		r.off = sound.AddUp(r.off, sound.AddUp(lost, sound.MulUp(0x1p-1070, reach)))
	}
}

// replace puts a form of the node's inputs in the place of every element: the lower one where its coefficient is positive, else the upper one.
func (r *row) replace(i int, c []float64) {
	v, f := r.s.net.values[i], r.s.formed(i)
	boxes := r.s.boxes(v)
	for k, x := range c {
		if x == 0 {
			continue
		}
		form := &f.Lower
		if x < 0 {
			form = &f.Upper
		}
		r.constant = sound.AddDown(r.constant, sound.MulDown(x, form.Const[k]))
		for t := form.Start[k]; t < form.Start[k+1]; t++ {
			arg := 0
			if form.Input != nil {
				arg = int(form.Input[t])
			}
			j, y := form.Index[t], x*form.Coef[t]
			lost := sound.AddUp(sound.MulUp(sound.Unit, math.Abs(y)), 0x1p-1074)
			in := v.args[arg]
			if in < 0 { // of a constant
				b := boxes[arg]
				r.off = sound.AddUp(r.off, sound.MulUp(lost, b.Magnitude(int(j))))
				r.constant = sound.AddDown(r.constant, min(sound.MulDown(y, b.Lower[j]), sound.MulDown(y, b.Upper[j])))
				continue
			}
			r.add(in, int(j), y, lost)
		}
	}
}

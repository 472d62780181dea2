package plain

import (
	"fmt"
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/verify/certificate"
)

// Steep is the byte of slope 1, and Own stands for the operator's choice.
const (
	Steep = 128
	Own   = 255
)

// Trace is what a row left on its way: the coefficients in front of every value, and the form over the inputs. It is for who looks
// for parameters.
type Trace struct {
	Coef     [][]float64
	Constant float64 // of the form over the inputs, less what the row may be off: the row is at least that form on the whole part
}

// row is a linear form on its way down: sum of coef[i]*value i, plus constant, is at most what was asked.
//
// Rounding: what the computed coefficients differ from the exact ones, times the largest magnitudes of what they stand in front of, is
// collected in off and subtracted in the end. Constants are rounded down one by one.
type row struct {
	s        *State
	coef     [][]float64
	constant float64
	off      float64
}

func (s *State) row() *row { return &row{s: s, coef: make([][]float64, len(s.net.values))} }

// Lower bounds a linear form of the outputs from below, over the part, with parameters that fit: any of these are right, they decide how large
// the bound is, and not whether it holds. It is -Inf where nothing is known. The trace may be nil.
func (s *State) Lower(form []float64, p certificate.Disproof, t *Trace) float64 {
	r := s.row()
	for _, o := range s.net.outputs {
		n := s.net.values[o].n
		c := r.into(o)
		for k := range n { // one value may be several outputs
			sum := c[k] + form[k]
			if c[k] != 0 {
				r.lose(sound.MulUp(sound.Unit, math.Abs(sum)), o, k)
			}
			c[k] = sum
		}
		form = form[n:]
	}
	return r.down(len(s.net.values)-1, p, t)
}

// into are the coefficients of a value: where there are none, zeros, in memory that a row has left or of its own.
func (r *row) into(i int) []float64 {
	if last := len(r.s.spare[i]) - 1; r.coef[i] == nil && last >= 0 {
		r.coef[i], r.s.spare[i] = r.s.spare[i][last], r.s.spare[i][:last]
		clear(r.coef[i])
	} else if r.coef[i] == nil {
		r.coef[i] = make([]float64, r.s.net.values[i].n)
	}
	return r.coef[i]
}

// leave gives the memory of a value's coefficients back.
func (r *row) leave(i int) {
	if r.coef[i] != nil {
		r.s.spare[i], r.coef[i] = append(r.s.spare[i], r.coef[i]), nil
	}
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
	for _, x := range p.Fine {
		if !(x >= 0 && x <= 1) {
			return fmt.Errorf("a slope of %v", x)
		}
	}
	for _, x := range slices.Concat(p.Weights, p.Beta) {
		if !(x >= 0) || math.IsInf(x, 1) {
			return fmt.Errorf("a weight or multiplier of %v", x)
		}
	}
	for _, c := range p.Ceilings {
		if c.Hinge < 0 || c.Hinge >= n || len(c.Slope) != s.net.In || !(c.Times >= 0) || math.IsInf(c.Times, 0) {
			return fmt.Errorf("a ceiling of hinge %d, of %d inputs, by a multiplier of %v", c.Hinge, len(c.Slope), c.Times)
		}
	}
	return nil
}

// lower is the lower slope that parameters give a hinge, by its place among all; ok is false where they leave it to the operator.
func lower(p *certificate.Disproof, k int) (x float64, ok bool) {
	switch {
	case p.Fine != nil:
		return p.Fine[k], true
	case p.Slopes != nil && p.Slopes[k] <= Steep:
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
		for _, x := range c {
			if !sound.Finite(x) {
				return math.Inf(-1)
			}
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
	if t != nil {
		t.Coef, t.Constant = r.coef, sound.AddDown(r.constant, -r.off)
	}
	low := r.constant
	for _, i := range r.s.net.inputs {
		for k, c := range r.into(i) {
			if c > 0 {
				low = sound.AddDown(low, sound.MulDown(c, r.s.box[i].Lower[k]))
			} else if c < 0 {
				low = sound.AddDown(low, sound.MulDown(c, r.s.box[i].Upper[k]))
			}
		}
	}
	for i := range r.coef {
		if t == nil {
			r.leave(i)
		}
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
		c := r.into(i)
		c[side.Index] += b
		r.lose(sound.MulUp(sound.Unit, math.Abs(c[side.Index])), i, side.Index)
		r.constant = sound.AddDown(r.constant, sound.MulDown(-b, side.At))
	}
}

// affine passes y = sum of A*x + b. A coefficient of x is a sum of at most column products, which takes 2*column operations, of numbers
// that times |x| add up to |c|*m, m the magnitude of y. The sum of these is rounded in 2*n operations, and m itself in 2*terms: the counts
// add up (sound.Gamma). What other readers of x gave its coefficient before takes part in column of the sums, and is paid by itself.
func (r *row) affine(i int, c []float64) {
	v := r.s.net.values[i]
	size, constant, unknown := 0.0, 0.0, 0.0
	for k, x := range c {
		if x == 0 {
			continue
		}
		m := r.s.mag[i][k]
		size += math.Abs(x) * m
		if v.bias != nil {
			constant += x * v.bias[k]
		}
		if v.rel != 0 || v.biasErr != nil {
			unknown = sound.AddUp(unknown, sound.MulUp(math.Abs(x), v.unknown(k, m)))
		}
	}
	r.constant, r.off = sound.AddDown(r.constant, constant), sound.AddUp(r.off, unknown)
	operations := 2*v.n + 8
	for m, a := range v.maps {
		in := v.in[m]
		if v.exact() && a.column <= 1 && r.coef[in] == nil {
			size = 0 // elements move
		}
		for k, x := range r.coef[in] { // what other readers gave it takes part in so many sums
			r.lose(sound.MulUp(sound.Gamma(a.column+8), math.Abs(x)), in, k)
		}
		a.down(r.into(in), c)
		operations += 2*a.column + 2*a.terms + 8
	}
	r.off = sound.AddUp(r.off, sound.MulUp(sound.Gamma(operations), sound.AddUp(size, sound.MulUp(sound.Tiny, r.s.reach[i]))))
}

// bend replaces every element by one of its lines: the lower one where its coefficient is positive, else the upper one. A coefficient's
// product and its sum with what other readers gave are off by at most sound.Unit of themselves, and a product by 2^-1074 beside; these add
// up in size and reach, whose own rounding, and what is lost below the normal numbers, has room in a share of 2^-20 and in sound.Tiny for
// each element. The sum of intercepts is off by sound.Gamma(len(c)) of
// their magnitudes, whose own sum is rounded as often.
func (r *row) bend(i int, c []float64, p *certificate.Disproof) {
	v, l := r.s.net.values[i], r.s.laid(i)
	d, box := r.into(v.in[0]), r.s.box[v.in[0]]
	size, reach, constant, sum := 0.0, 0.0, 0.0, 0.0
	for k, x := range c {
		if x == 0 {
			continue
		}
		slope, icept := l.LoSlope[k], l.LoIcept[k]
		if x < 0 {
			slope, icept = l.UpSlope[k], l.UpIcept[k]
		} else if v.hinge && box.Lower[k] < 0 && box.Upper[k] > 0 {
			if x, ok := lower(p, v.at+k); ok {
				slope, icept = x, 0
			}
		}
		switch {
		case slope == 1 && d[k] == 0:
			d[k] = x
		case slope != 0:
			y := x * slope
			d[k] += y
			m := box.Magnitude(k)
			size, reach = size+(math.Abs(y)+math.Abs(d[k]))*m, reach+m
		}
		if icept != 0 {
			constant, sum = constant+x*icept, sum+math.Abs(x*icept)
		}
	}
	if sum != 0 {
		r.constant = sound.AddDown(r.constant, constant)
		r.off = sound.AddUp(r.off, sound.MulUp(sound.Gamma(2*len(c)+8), sound.AddUp(sum, sound.Tiny)))
	}
	if reach != 0 || size != 0 {
		lost := sound.MulUp(sound.Unit, sound.AddUp(size, float64(len(c))*sound.Tiny))
		r.off = sound.AddUp(r.off, sound.MulUp(sound.AddUp(lost, sound.MulUp(0x1p-1070, reach)), 1+0x1p-20))
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
			d := r.into(in)
			sum := d[j] + y
			r.lose(sound.AddUp(lost, sound.MulUp(sound.Unit, math.Abs(sum))), in, int(j))
			d[j] = sum
		}
	}
}

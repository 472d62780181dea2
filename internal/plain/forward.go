package plain

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
)

// Bound is the state with every value's box bounded anew: by the boxes of what it is made of, and with rows, where an activation reads it
// and its sign is not known, by rows of its own, one for each end. What was known stays known: boxes only become smaller.
func (s *State) Bound(rows bool) (*State, error) {
	c := s.clone()
	for i, v := range c.net.values {
		if c.empty {
			return c, nil
		}
		c.lines[i], c.forms[i] = nil, nil
		box, err := c.forward(i)
		if err != nil {
			return nil, err
		}
		if rows && v.bent && v.def != nil {
			c.tighten(i, box)
		}
		c.box[i] = box
		c.lines[i], c.forms[i] = nil, nil
		for k, l := range box.Lower {
			c.empty = c.empty || l > box.Upper[k]
		}
	}
	return c, nil
}

// forward is the box of a value by the boxes of what it is made of, cut with what is known of it. Its lines must be laid anew.
func (s *State) forward(i int) (relax.Box, error) {
	v := s.net.values[i]
	box := relax.NewBox(v.n)
	switch {
	case v.maps != nil:
		s.affine(i, box)
	case v.def == nil:
		copy(box.Lower, s.box[i].Lower)
		copy(box.Upper, s.box[i].Upper)
		return box, nil
	default:
		out, err := v.def.Interval(v.node, s.boxes(v))
		if err != nil || v.out >= len(out) {
			return box, fmt.Errorf("node %q (%s): output %d has no interval (%v)", v.node.Name, v.node.Op, v.out, err)
		}
		box = relax.Box{Lower: append([]float64(nil), out[v.out].Lower...), Upper: append([]float64(nil), out[v.out].Upper...)}
	}
	for k := range box.Lower {
		if math.IsNaN(box.Lower[k]) {
			box.Lower[k] = math.Inf(-1)
		}
		if math.IsNaN(box.Upper[k]) {
			box.Upper[k] = math.Inf(1)
		}
		box.Lower[k], box.Upper[k] = max(box.Lower[k], s.box[i].Lower[k]), min(box.Upper[k], s.box[i].Upper[k])
	}
	return box, nil
}

// affine bounds y = sum of A*x + b over the boxes of the x. Of the n products and sums of an end, and of the magnitudes that say what these
// lose, none is off by more than its share of sound.Gamma: see sound.Gamma.
func (s *State) affine(i int, box relax.Box) {
	v := s.net.values[i]
	mag, terms := make([]float64, v.n), 1
	s.reach[i] = 1
	for k := range v.n {
		if v.bias != nil {
			box.Lower[k], box.Upper[k], mag[k] = v.bias[k], v.bias[k], math.Abs(v.bias[k])
		}
	}
	for m, a := range v.maps {
		in := s.box[v.in[m]]
		terms += a.terms
		for k := range in.Lower {
			s.reach[i] += in.Magnitude(k)
		}
		for r := range a.out {
			lower, upper, sum := 0.0, 0.0, 0.0
			for t := a.start[r]; t < a.start[r+1]; t++ {
				l, u := in.Lower[a.at[t]:], in.Upper[a.at[t]:]
				for k, w := range a.coef[a.off[t] : a.off[t]+a.n[t]] {
					x, y := w*l[k], w*u[k]
					if w == 0 {
						continue
					}
					lower, upper = lower+min(x, y), upper+max(x, y)
					sum += max(math.Abs(x), math.Abs(y))
				}
			}
			box.Lower[r], box.Upper[r], mag[r] = box.Lower[r]+lower, box.Upper[r]+upper, mag[r]+sum
		}
	}
	s.mag[i] = mag
	if terms <= 2 && v.exact() {
		return
	}
	g := sound.Gamma(2*terms + 8)
	for k, m := range mag {
		off := sound.AddUp(sound.MulUp(g, sound.AddUp(m, sound.Tiny)), v.unknown(k, m))
		box.Lower[k], box.Upper[k] = sound.AddDown(box.Lower[k], -off), sound.AddUp(box.Upper[k], off)
	}
}

// exact tells that a value only moves elements, so that nothing is rounded.
func (v *value) exact() bool {
	if len(v.maps) != 1 || v.bias != nil || v.rel != 0 || v.biasErr != nil {
		return len(v.maps) == 0
	}
	for _, c := range v.maps[0].coef {
		if c != 1 {
			return false
		}
	}
	return v.maps[0].terms == 1
}

// unknown is by how much element k may differ because its operator could not give its coefficients exactly.
func (v *value) unknown(k int, mag float64) float64 {
	off := 0.0
	if v.rel != 0 {
		off = sound.MulUp(v.rel, sound.MulUp(mag, 1+0x1p-20)) // the magnitude is a rounded sum too
	}
	if v.biasErr != nil {
		off = sound.AddUp(off, v.biasErr[k])
	}
	return off
}

// tighten bounds the elements whose sign is not known by rows.
func (s *State) tighten(i int, box relax.Box) {
	hinges := s.hinges(i)
	s.box[i] = box
	for k := range box.Lower {
		if hinges && (box.Lower[k] >= 0 || box.Upper[k] <= 0) || box.Lower[k] >= box.Upper[k] {
			continue
		}
		box.Lower[k] = max(box.Lower[k], s.element(i, k, 1, Parameters{}, nil))
		box.Upper[k] = min(box.Upper[k], -s.element(i, k, -1, Parameters{}, nil))
	}
}

// hinges tells that all that is not affine and reads a value is max(x, 0): where the sign is known, its lines lose nothing.
func (s *State) hinges(i int) bool {
	for _, v := range s.net.values {
		for _, in := range v.in {
			if in == i && v.maps == nil && !v.hinge {
				return false
			}
		}
	}
	return true
}

// element bounds c times one element of a value from below.
func (s *State) element(i, k int, c float64, p Parameters, t *Trace) float64 {
	r := s.row()
	r.coef[i] = make([]float64, s.net.values[i].n)
	r.coef[i][k] = c
	if low := r.down(i, p, t); !math.IsNaN(low) {
		return low
	}
	return math.Inf(-1)
}

// Row is the state with one end of an element's interval bounded by a row of its own, and that bound with the sign that the row has: of the
// element from below, or, with upper, of its negative. The trace may be nil.
func (s *State) Row(value, index int, upper bool, p Parameters, t *Trace) (*State, float64) {
	c := s.clone()
	lower, end := s.Range(value, index)
	bound := 0.0
	if upper {
		bound = s.element(value, index, -1, p, t)
		end = min(end, -bound)
	} else {
		bound = s.element(value, index, 1, p, t)
		lower = max(lower, bound)
	}
	c.narrow(value, index, lower, end)
	return c, bound
}

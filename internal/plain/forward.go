package plain

import (
	"fmt"
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/verify/certificate"
)

// Bound is the state with every value's box bounded anew: by the boxes of what it is made of, and with rows, where an activation reads it
// and its sign is not known, by rows of its own, one for each end. What was known stays known: boxes only become smaller.
func (s *State) Bound(rows bool) (*State, error) {
	c := s.clone()
	for i, v := range c.net.values {
		if c.empty || v.input() {
			continue
		}
		c.lines[i], c.forms[i] = nil, nil
		box, err := c.forward(i)
		if err != nil {
			return nil, err
		}
		if rows && v.bent {
			c.tighten(i, box)
		}
		c.box[i] = box
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
	if v.maps != nil {
		s.affine(i, box)
	} else {
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
	return v.maps[0].terms == 1 && !slices.ContainsFunc(v.maps[0].coef, func(c float64) bool { return c != 1 })
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

// tighten bounds the elements whose sign is not known by rows: first the end that lies nearer to 0, which may tell it.
func (s *State) tighten(i int, box relax.Box) {
	v := s.net.values[i]
	s.box[i] = box
	for k := range box.Lower {
		upper := box.Upper[k] < -box.Lower[k]
		for range 2 {
			if !v.curved && (box.Lower[k] >= 0 || box.Upper[k] <= 0) || box.Lower[k] >= box.Upper[k] {
				break
			}
			if upper {
				box.Upper[k] = min(box.Upper[k], -s.element(i, k, -1, certificate.Disproof{}, nil))
			} else {
				box.Lower[k] = max(box.Lower[k], s.element(i, k, 1, certificate.Disproof{}, nil))
			}
			upper = !upper
		}
	}
}

// element bounds c times one element of a value from below.
func (s *State) element(i, k int, c float64, p certificate.Disproof, t *Trace) float64 {
	r := s.row()
	r.into(i)[k] = c
	return r.down(i, p, t)
}

// Row is the state with one end of an element's interval bounded by a row with parameters of its own, and that bound with the sign that the row
// has: of the element from below, or, with p.Row 1, of its negative. The trace may be nil.
func (s *State) Row(value, index int, p certificate.Disproof, t *Trace) (next *State, low float64, err error) {
	if p.Case != 0 || p.Row > 1 || p.Weights != nil {
		return s, 0, fmt.Errorf("parameters of no element's row")
	}
	if err := s.fit(p); err != nil {
		return s, 0, err
	}
	next = s.clone()
	if p.Row == 1 {
		low = s.element(value, index, -1, p, t)
		next.narrow(value, index, math.Inf(-1), -low)
	} else {
		low = s.element(value, index, 1, p, t)
		next.narrow(value, index, low, math.Inf(1))
	}
	return next, low, nil
}

package plain

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/verify/certificate"
)

// Anew is the state with the boxes of values bounded anew, of those from one on: by the boxes of what they are made of, and of those before
// another, where an activation reads it and its sign is not known, by rows of its own, one for each end. What was known stays known: boxes only
// become smaller.
func (s *State) Anew(from, rows int) (*State, error) {
	c := s.clone()
	for i := from; i < len(c.net.values) && !c.empty; i++ {
		v := c.net.values[i]
		if v.input() || v.idle {
			continue
		}
		c.lines[i], c.forms[i] = nil, nil
		box, err := c.forward(i)
		if err != nil {
			return nil, err
		}
		if c.box[i] = box; v.bent && i < rows {
			c.tighten(i, box)
		}
		if i < rows {
			c.leaveOut(i)
		}
		c.empty = box.Empty()
	}
	return c, nil
}

// leaveOut has the matrix of a value go without columns of elements that are 0 on the part, since what stands in front of 0 may be anything. What is
// 0 on a part is so on parts of it, so that these keep the matrix.
func (s *State) leaveOut(i int) {
	if v := s.net.values[i]; len(v.maps) == 1 {
		in := s.box[v.in[0]]
		s.thin[i] = v.maps[0].without(func(k int) bool { return in.Lower[k] == 0 && in.Upper[k] == 0 }, s.thin[i])
	}
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
		box = relax.Box(out[v.out]).Clone()
	}
	box.Within(s.box[i])
	return box, nil
}

// affine bounds y = sum of A*x + b over the boxes of the x. Of the n products and sums of an end, and of the magnitudes that say what these
// lose, none is off by more than its share of sound.Gamma: see sound.Gamma.
//
// It also finds what rows lose that come from above. A coefficient of x is a sum of at most column products of coefficients of y and numbers
// of A, which takes 2*column operations; times |x| these products add up to |coefficients|*m, m the magnitude of y, which is rounded in 2*terms
// itself. The row's constant is a sum of 2*n operations. The counts add up (sound.Gamma).
func (s *State) affine(i int, box relax.Box) {
	v := s.net.values[i]
	mag, reach, terms, operations := make([]float64, v.n), 1.0, 1, 2*v.n+8
	for k, b := range v.bias {
		box.Lower[k], box.Upper[k], mag[k] = b, b, math.Abs(b)
	}
	for m, a := range v.maps {
		in := s.box[v.in[m]]
		terms, operations = terms+a.terms, operations+2*a.column+2*a.terms+8
		size := make([]float64, a.in)
		for k := range size {
			size[k] = in.Magnitude(k)
			reach += size[k]
		}
		for r := range a.out {
			lower, upper, sum := 0.0, 0.0, 0.0
			for t := a.start[r]; t < a.start[r+1]; t++ {
				l, u, m := in.Lower[a.at[t]:], in.Upper[a.at[t]:], size[a.at[t]:]
				for k, w := range a.coef[a.off[t] : a.off[t]+a.n[t]] {
					if x, y := w*l[k], w*u[k]; w != 0 {
						lower, upper, sum = lower+min(x, y), upper+max(x, y), sum+math.Abs(w)*m[k]
					}
				}
			}
			box.Lower[r], box.Upper[r], mag[r] = box.Lower[r]+lower, box.Upper[r]+upper, mag[r]+sum
		}
	}
	g, of := sound.Gamma(2*terms+8), sound.Gamma(operations)
	s.lost[i], s.least[i] = make([]float64, v.n), sound.MulUp(of, sound.MulUp(sound.Tiny, reach))
	for k, m := range mag {
		unknown := sound.AddUp(sound.MulUp(v.rel, sound.MulUp(m, 1+0x1p-20)), v.biasErr[k]) // the magnitude is a rounded sum too
		s.lost[i][k] = sound.AddUp(sound.MulUp(of, m), unknown)
		if off := sound.AddUp(sound.MulUp(g, sound.AddUp(m, sound.Tiny)), unknown); !v.exact {
			box.Lower[k], box.Upper[k] = sound.AddDown(box.Lower[k], -off), sound.AddUp(box.Upper[k], off)
		}
	}
}

// tighten bounds the elements whose sign is not known by rows: first the end that lies nearer to 0, which may tell it.
func (s *State) tighten(i int, box relax.Box) {
	v := s.net.values[i]
	for k := range box.Lower {
		sign := 1.0 // the lower end
		if box.Upper[k] < -box.Lower[k] {
			sign = -1
		}
		for range 2 {
			if !v.curved && (box.Lower[k] >= 0 || box.Upper[k] <= 0) || box.Lower[k] >= box.Upper[k] {
				break
			}
			Side{i, k, sign * s.element(i, k, sign, certificate.Disproof{}, nil), sign > 0}.cut(box)
			sign = -sign
		}
	}
}

// element bounds c times one element of a value from below.
func (s *State) element(i, k int, c float64, p certificate.Disproof, t *Trace) float64 {
	r := s.row()
	r.add(i, k, c, 0)
	return r.down(i, p, t)
}

// Row is the state with one end of an element's interval bounded by a row with parameters of its own, and that bound with the sign that the row
// has: of the element from below, or, with p.Row 1, of its negative. The trace may be nil.
func (s *State) Row(value, index int, p certificate.Disproof, t *Trace) (next *State, low float64, err error) {
	if err := s.fit(p); err != nil || p.Case != 0 || p.Row > 1 || p.Weights != nil {
		return s, 0, fmt.Errorf("parameters of no element's row: %v", err)
	}
	sign := 1 - 2*float64(p.Row)
	next, low = s.clone(), s.element(value, index, sign, p, t)
	next.narrow(Side{value, index, sign * low, p.Row == 0})
	return next, low, nil
}

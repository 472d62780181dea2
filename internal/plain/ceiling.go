package plain

import (
	"math"

	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/verify/certificate"
)

// under gives the row the term of a ceiling above element k of hinge i: Times*(y - Slope*x - top), which is at most 0 on the part. Products
// and sums in front of inputs are off by sound.Unit of themselves, and products by 2^-1074 beside.
func (r *row) under(i, k int, q certificate.Ceiling) {
	top := r.s.top(i, k, q.Slope)
	if !sound.Finite(top) {
		return
	}
	c := r.into(i)
	c[k] += q.Times
	r.lose(sound.MulUp(sound.Unit, math.Abs(c[k])), i, k)
	r.constant = sound.AddDown(r.constant, sound.MulDown(-q.Times, top))
	for e, a := range q.Slope {
		if a == 0 {
			continue
		}
		in, at := r.s.net.Input(e)
		d, y := r.into(in), -q.Times*a
		d[at] += y
		r.lose(sound.AddUp(sound.MulUp(sound.Unit, sound.AddUp(math.Abs(y), math.Abs(d[at]))), 0x1p-1073), in, at)
	}
}

// top is what max(z, 0) - slope*x is at most on the part, z what the hinge reads: the larger of what z - slope*x and -slope*x are, each by a
// row of its own.
func (s *State) top(i, k int, slope []float64) float64 {
	in := s.net.values[i].in[0]
	if s.net.values[in].input() { // an input: its coefficients would be two
		return math.Inf(1)
	}
	form := func() *row {
		r := s.row()
		for e, a := range slope {
			v, at := s.net.Input(e)
			r.into(v)[at] = a
		}
		return r
	}
	r := form()
	r.into(in)[k] = -1
	return max(-r.down(in, certificate.Disproof{}, nil), -form().down(-1, certificate.Disproof{}, nil))
}

package plain

import (
	"math"

	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/verify/certificate"
)

// under gives the row the term of a ceiling above element k of hinge i: Times*(y - Slope*x - top), which is at most 0 on the part. Products
// in front of inputs are off by sound.Unit of themselves and 2^-1074 beside.
func (r *row) under(i, k int, q certificate.Ceiling) {
	top := r.s.top(i, k, q.Slope)
	if !sound.Finite(top) {
		return
	}
	r.add(i, k, q.Times, 0)
	r.constant = sound.AddDown(r.constant, sound.MulDown(-q.Times, top))
	for e, a := range q.Slope {
		if y := -q.Times * a; a != 0 {
			in, at := r.s.net.Input(e)
			r.add(in, at, y, sound.AddUp(sound.MulUp(sound.Unit, math.Abs(y)), 0x1p-1074))
		}
	}
}

// top is what max(z, 0) - slope*x is at most on the part, z what the hinge reads: the larger of what z - slope*x and -slope*x are, each by a
// row of its own.
func (s *State) top(i, k int, slope []float64) float64 {
	in := s.net.values[i].in[0]
	form := func(z float64) float64 {
		r := s.row()
		r.add(in, k, -z, 0)
		for e, a := range slope {
			v, at := s.net.Input(e)
			r.add(v, at, a, 0)
		}
		return -r.down(in, certificate.Disproof{}, nil)
	}
	return max(form(1), form(0))
}

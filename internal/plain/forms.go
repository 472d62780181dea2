package plain

import (
	"math"

	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/verify/certificate"
)

// plus adds a multiple of a form of the inputs. Products are off by sound.Unit of themselves and 2^-1074 beside.
func (r *row) plus(times float64, a []float64) {
	for e, x := range a {
		if y := times * x; x != 0 {
			i, k := r.s.net.Input(e)
			r.add(i, k, y, sound.AddUp(sound.MulUp(sound.Unit, math.Abs(y)), 0x1p-1074))
		}
	}
}

// half is a half-space of the inputs, in which all points of the part lie that matter: a*x <= most.
type half struct {
	a    []float64
	most float64
}

// within gives a row that has come down to the inputs a multiple of a half-space's form, less the most that this is. Any multiple does that is
// not below 0.
func (r *row) within(h *half) {
	if by := r.multiple(h); by > 0 && sound.Finite(by) {
		r.plus(by, h.a)
		r.constant = sound.AddDown(r.constant, sound.MulDown(-by, h.most))
	}
}

// under gives the row the term of a ceiling above element k of hinge i: Times*(y - Slope*x - top), which is at most 0 on the part.
func (r *row) under(i, k int, q certificate.Ceiling) {
	if top := r.s.top(i, k, q.Slope); sound.Finite(top) {
		r.add(i, k, q.Times, 0)
		r.constant = sound.AddDown(r.constant, sound.MulDown(-q.Times, top))
		r.plus(-q.Times, q.Slope)
	}
}

// top is what max(z, 0) - slope*x is at most on the part, z what the hinge reads: the larger of what z - slope*x and -slope*x are, each by a
// row of its own.
func (s *State) top(i, k int, slope []float64) float64 {
	in := s.net.values[i].in[0]
	form := func(z float64) float64 {
		r := s.row()
		r.add(in, k, -z, 0)
		r.plus(1, slope)
		return -r.down(in, certificate.Disproof{}, nil)
	}
	return max(form(1), form(0))
}

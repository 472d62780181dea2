package plain

import (
	"math"

	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/verify/certificate"
)

// Cut is the part cut to a box that holds all of its inputs at which some case is met; it is empty where there is none.
//
// A constraint's row is at least a form a*x + c of its own, so an input that meets the constraint has a*x + c <= limit. Of each input x_i that leaves
// a_i*x_i <= limit - c - (the least that the other terms can be together). Ends are rounded outward. The boxes of several cases are joined.
func (s *State) Cut(cases [][]certificate.Constraint) *State {
	var hull relax.Box
	for _, constraints := range cases {
		box, met := s.flat(s.net.inputs), true
		for k := range constraints {
			met = met && s.cut(box, constraints, k)
		}
		switch {
		case !met:
		case hull.Lower == nil:
			hull = box
		default:
			for i := range box.Lower {
				hull.Lower[i], hull.Upper[i] = min(hull.Lower[i], box.Lower[i]), max(hull.Upper[i], box.Upper[i])
			}
		}
	}
	c := s.clone()
	if hull.Lower == nil {
		c.empty = true
		return c
	}
	for i := range hull.Lower {
		v, k := s.net.Input(i)
		c.narrow(v, k, hull.Lower[i], hull.Upper[i])
	}
	return c
}

// cut cuts a box by one constraint, and tells whether something is left.
func (s *State) cut(box relax.Box, constraints []certificate.Constraint, k int) bool {
	var t Trace
	form, lost, limit, _ := s.sum(constraints[k:k+1], oneWeight)
	if low := s.Lower(form, certificate.Disproof{}, &t); math.IsNaN(low) || t.Coef == nil {
		return true
	}
	var a []float64
	for _, i := range s.net.inputs {
		a = append(a, t.Coef[i]...)
	}
	least := 0.0
	for i, c := range a {
		least = sound.AddDown(least, min(sound.MulDown(c, box.Lower[i]), sound.MulDown(c, box.Upper[i])))
	}
	room := sound.AddUp(sound.AddUp(sound.RatUp(limit), lost), -t.Constant)
	if !sound.Finite(least) || !sound.Finite(room) {
		return true
	}
	for i, c := range a {
		own := min(sound.MulUp(c, box.Lower[i]), sound.MulUp(c, box.Upper[i]))
		end := sound.AddUp(room, -sound.AddDown(least, -own)) / c
		switch {
		case c == 0 || !sound.Finite(end):
		case c > 0:
			box.Upper[i] = min(box.Upper[i], sound.Up(end))
		default:
			box.Lower[i] = max(box.Lower[i], sound.Down(end))
		}
		if box.Lower[i] > box.Upper[i] {
			return false
		}
	}
	return true
}

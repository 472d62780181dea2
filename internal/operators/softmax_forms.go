package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
)

// softmaxForms bounds y = exp(z), z = x_i - L with L = log sum exp(x), by planes in x: exp is under its chord and over a tangent on z's
// box, both rise in z, and z lies between what the planes over and under L leave of it. Where an end of y's box is nearer in the middle, it
// serves. Source: Wei et al. 2023, Convex bounds on the softmax function with applications to robustness verification, section 4 (its
// bounds by log-sum-exp), made linear.
func softmaxForms(g gather, x, y, z relax.Box) *relax.Relaxation {
	total := len(x.Lower)
	lo, up := relax.NewForms(total, g.size), relax.NewForms(total, g.size)
	exp := relax.Curve{F: expBounds, D: expBounds}
	// Forms come in the order of the elements: one line of rows after the other.
	over, under := make([]plane, g.inner), make([]plane, g.inner)
	for o := range g.outer {
		for k := range g.inner {
			at := o*g.size*g.inner + k
			over[k], under[k] = logSumExpOver(x, at, g.inner, g.size), logSumExpUnder(x, at, g.inner, g.size)
		}
		for j := range g.size {
			for k := range g.inner {
				r := softmaxRow{x, o*g.size*g.inner + k, g.inner, j}
				i := r.at + j*g.inner
				l, u := z.Lower[i], z.Upper[i]
				if !sound.Finite(l) || !sound.Finite(u) {
					lo.Close(y.Lower[i])
					up.Close(y.Upper[i])
					continue
				}
				s, c := exp.OverChord(l, u)
				r.place(up, under[k], s, c, 1, y.Upper[i])
				s, c = exp.Negated().Over(relax.Concave, min(max(r.middle(over[k]), l), u), l, u)
				r.place(lo, over[k], -s, -c, -1, y.Lower[i])
			}
		}
	}
	lo.Input, up.Input = nil, nil
	return &relax.Relaxation{Lower: *lo, Upper: *up}
}

// softmaxRow is element own of the row that begins at at.
type softmaxRow struct {
	x             relax.Box
	at, step, own int
}

// middle is x_own - p in the middle of the box, as rounded; p is a plane over or under L.
func (r softmaxRow) middle(p plane) float64 {
	m := -p.icept
	for j, k := range p.coef {
		if j == r.own {
			k--
		}
		i := r.at + j*r.step
		m -= k * (r.x.Lower[i]/2 + r.x.Upper[i]/2)
	}
	return m
}

// place writes s*(x_own - p) + c, which bounds y from above (sign 1) or from below (-1), or flat where that is nearer in the middle. Coefficients are
// rounded twice; what that changes is taken off, with room.
func (r softmaxRow) place(f *relax.Forms, p plane, s, c, sign, flat float64) {
	constant := sign * sound.AddUp(sound.MulUp(s, sign*-p.icept), sign*c)
	slack := 0.0
	for j, k := range p.coef {
		if j == r.own {
			k--
		}
		slack += (math.Abs(s*k)*0x1p-50 + 0x1p-1060) * (r.x.Magnitude(r.at+j*r.step) + 1)
	}
	constant = sign * sound.AddUp(sign*constant, 2*slack)
	if p.coef == nil || !(s >= 0) || !sound.Finite(constant) || !(sign*(s*r.middle(p)+c) < sign*flat) {
		f.Close(flat)
		return
	}
	for j, k := range p.coef {
		if j == r.own {
			k--
		}
		f.Add(0, r.at+j*r.step, -s*k)
	}
	f.Close(constant)
}

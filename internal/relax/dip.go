package relax

import (
	"math"

	"github.com/shallow-waters/shoal/internal/sound"
)

// Dip is a smooth curve like Swish, Gelu and Mish: x times a gate that rises from 0 to 1. From the left it falls from 0, concave, turns
// convex at the first inflection point, has its minimum, and turns concave again at the second, from where its slope falls to 1.
//
// That the second derivative changes its sign at these two points only is argued for each of them where it is defined. The rest
// follows: left of the first the slope falls from 0 and is negative, right of the second it falls to 1 and is positive, and
// between it rises; so there is one minimum, and the extreme slopes are at the inflection points.
type Dip struct {
	Curve
	First, Second float64 // the inflection points
	Bottom        float64 // the place of the minimum
	Least         float64 // no value is less, and the minimum is within DipMargin of it
}

// DipMargin is how near the constants of dips are to the true ones; TestDipConstants proves it.
const DipMargin = 1e-12

// GentlestDip and SteepestDip hold all slopes of all dips: those at the inflection points are nowhere under -0.129 or over 1.129.
const GentlestDip, SteepestDip = -0.25, 1.25

// Scaled is the dip y = f(alpha*x)/alpha for alpha > 0, given the curve of that.
func (d *Dip) Scaled(alpha float64, c Curve) *Dip {
	// The quotients are off by an ulp of a number that is used with a much larger margin; least is rounded outward.
	return &Dip{c, d.First / alpha, d.Second / alpha, d.Bottom / alpha, sound.Down(d.Least / alpha)}
}

// Around encloses a number known to within DipMargin of its size.
func Around(x float64) (lo, hi float64) {
	e := 2 * DipMargin * math.Abs(x)
	return x - e, x + e
}

// Bounds is the range on [l, u]: the maximum is at an end, and so is the minimum if the bottom is not inside.
func (d *Dip) Bounds(l, u float64) (lo, hi float64) {
	ll, lh := d.F(l)
	ul, uh := d.F(u)
	// The infinite ends: towards 0 and without limit.
	if math.IsInf(l, -1) {
		ll, lh = d.Least, 0
	}
	if math.IsInf(u, 1) {
		ul, uh = d.Least, u
	}
	if l == u && !math.IsInf(l, 0) {
		return max(ll, d.Least), lh
	}
	switch before, after := Around(d.Bottom); {
	case u <= before:
		lo = ul
	case l >= after:
		lo = ll
	default:
		lo = d.Least
	}
	return max(lo, d.Least), max(lh, uh)
}

func (d *Dip) Lines() LinesFunc { return d.Pieces().Lines(d.Bounds) }

// Pieces is the dip as a row of parts.
func (d *Dip) Pieces() *Pieced {
	a, b := Around(d.First)
	e, f := Around(d.Second)
	return NewPieced(GentlestDip,
		NewPart(d.Curve, Concave, a, 0),
		NewPart(d.Curve, Unsure, b, SteepestDip),
		NewPart(d.Curve, Convex, e, 0),
		NewPart(d.Curve, Unsure, f, SteepestDip),
		NewPart(d.Curve, Concave, math.Inf(1), 0),
	)
}

// Brackets gives x-e and x+e, rounded outward.
func Brackets(x, e float64) (lo, hi float64) {
	e += 0x1p-1070
	return sound.Down(x - e), sound.Up(x + e)
}

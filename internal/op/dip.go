package op

import (
	"math"

	"github.com/shallow-waters/shoal/internal/sound"
)

// dip is a smooth curve like Swish, Gelu and Mish: x times a gate that rises from 0 to 1. From the left it falls from 0, concave, turns
// convex at the first inflection point, has its minimum, and turns concave again at the second, from where its slope falls to 1.
//
// That the second derivative changes its sign at these two points only is argued for each of them where it is defined. The rest
// follows: left of the first the slope falls from 0 and is negative, right of the second it falls to 1 and is positive, and
// between it rises; so there is one minimum, and the extreme slopes are at the inflection points.
type dip struct {
	curve
	first, second float64 // the inflection points
	bottom        float64 // the place of the minimum
	least         float64 // no value is less, and the minimum is within dipMargin of it
}

// dipMargin is how near the constants of dips are to the true ones; TestDipConstants proves it.
const dipMargin = 1e-12

// gentlestDip and steepestDip hold all slopes of all dips: those at the inflection points are nowhere under -0.129 or over 1.129.
const gentlestDip, steepestDip = -0.25, 1.25

// scaled is the dip y = f(alpha*x)/alpha for alpha > 0, given the curve of that.
func (d *dip) scaled(alpha float64, c curve) *dip {
	// The quotients are off by an ulp of a number that is used with a much larger margin; least is rounded outward.
	return &dip{c, d.first / alpha, d.second / alpha, d.bottom / alpha, sound.Down(d.least / alpha)}
}

// around encloses a number known to within dipMargin of its size.
func around(x float64) (lo, hi float64) {
	e := 2 * dipMargin * math.Abs(x)
	return x - e, x + e
}

// bounds is the range on [l, u]: the maximum is at an end, and so is the minimum if the bottom is not inside.
func (d *dip) bounds(l, u float64) (lo, hi float64) {
	ll, lh := d.f(l)
	ul, uh := d.f(u)
	// The infinite ends: towards 0 and without limit.
	if math.IsInf(l, -1) {
		ll, lh = d.least, 0
	}
	if math.IsInf(u, 1) {
		ul, uh = d.least, u
	}
	if l == u && !math.IsInf(l, 0) {
		return max(ll, d.least), lh
	}
	switch before, after := around(d.bottom); {
	case u <= before:
		lo = ul
	case l >= after:
		lo = ll
	default:
		lo = d.least
	}
	return max(lo, d.least), max(lh, uh)
}

func (d *dip) lines() LinesFunc {
	a, b := around(d.first)
	e, f := around(d.second)
	return newPieced(gentlestDip,
		part{d.curve, concave, a, 0},
		part{d.curve, unsure, b, steepestDip},
		part{d.curve, convex, e, 0},
		part{d.curve, unsure, f, steepestDip},
		part{d.curve, concave, math.Inf(1), 0},
	).lines(d.bounds)
}

// brackets gives x-e and x+e, rounded outward.
func brackets(x, e float64) (lo, hi float64) {
	e += 0x1p-1070
	return sound.Down(x - e), sound.Up(x + e)
}

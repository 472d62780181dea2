package relax

// Sketcher is a family that also draws its lines nearly, in a fraction of the time that it takes to prove them: for whoever tries many before one is
// laid. Nothing sound may rest on it.
type Sketcher interface {
	Family
	// Sketch is Upper's line, or Lower's, for a number between its ends, nearly; fl and fu are Value at l and u.
	Sketch(upper bool, l, u, fl, fu, p float64) (slope, icept float64)
}

var _ Sketcher = sCurve{}

func (c sCurve) Sketch(upper bool, l, u, fl, fu, p float64) (slope, icept float64) {
	if !upper { // the curve is odd
		slope, icept = c.sketch(-u, -fu, -p)
		return slope, -icept
	}
	return c.sketch(l, fl, p)
}

// sketch is the tangent at t, and no lower than over (l, f(l)), which lies on the convex part where l is below 0: see tangentOver.
func (c sCurve) sketch(l, fl, t float64) (k, icept float64) {
	y, k := c.near(t)
	icept = y - k*t
	if l < 0 {
		icept = max(icept, fl-k*l)
	}
	return k, icept
}

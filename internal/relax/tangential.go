package relax

// Tangential is a family whose numbers are where tangents touch, and that draws these nearly, in a fraction of the time that it takes to prove them:
// for whoever tries many before one is laid. Nothing sound may rest on it.
type Tangential interface {
	Family
	// Tangent is the line of a number between its ends, lower or upper, nearly.
	Tangent(p float64) (slope, icept float64)
}

var _ Tangential = sCurve{}

// Tangent needs no ends: from where a number may begin, the tangent lies beyond the convex part's end, see touch.
func (c sCurve) Tangent(p float64) (slope, icept float64) {
	y, k := c.near(p)
	return k, y - k*p
}

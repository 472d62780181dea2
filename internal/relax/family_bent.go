package relax

import (
	"math"

	"github.com/shallow-waters/shoal/internal/sound"
)

// Bent is the family of a function that bends one way everywhere and is finite on finite intervals: its number is where the tangent touches. On the
// other side is the chord, and nothing to choose.
type Bent struct {
	Curve Curve
	Bend  bend
	// Usual is where the tangent of Lines touches; nil for the middle.
	Usual func(l, u float64) float64
}

var _ Family = Bent{}

func (b Bent) Ends(l, u float64) (e Ends) {
	c := Choice{l, u, l + (u-l)/2}
	if b.Usual != nil {
		c.Usual = into(b.Usual(l, u), l, u)
	}
	if !sound.Finite(b.Steepest(l, u)) || !sound.Finite(b.Value(l)) || !sound.Finite(b.Value(u)) {
		return e
	}
	if b.Bend == Convex {
		e.Lo = c
	} else {
		e.Up = c
	}
	return e
}

func (b Bent) Lower(l, u, p float64) (slope, icept float64) {
	slope, icept = b.Curve.Negated().Over(1-b.Bend, max(into(p, l, u), l), l, u)
	return -slope, -icept
}

func (b Bent) Upper(l, u, p float64) (slope, icept float64) {
	return b.Curve.Over(b.Bend, max(into(p, l, u), l), l, u)
}

func (b Bent) Pull(_ bool, _, _, z, p float64) float64 { return z - p }

func (b Bent) Value(x float64) float64 { return b.Curve.middle(x) }

func (b Bent) Steepest(l, u float64) float64 {
	ll, lu := b.Curve.D(l)
	ul, uu := b.Curve.D(u)
	return max(-ll, lu, -ul, uu, math.Abs(b.Curve.chord(l, u))) // of a narrow interval the chord is known less well
}

package relax

import (
	"math"

	"github.com/shallow-waters/shoal/internal/sound"
)

// sCurve is an odd curve, convex below 0 and concave above, that rises and stays within [-1, 1] (tanh, erf).
type sCurve struct {
	Curve
	near func(x float64) (y, slope float64)
}

// over returns a line over the curve on [l, u].
//
// It is the line that is lowest in the middle of the interval, and so leaves the least area: the one that holds up the hull of the graph
// there. Concave part: the tangent in the middle. Convex part: the chord. Across 0 the hull is the chord where the curve is no flatter
// than that at u; else it is the tangent from (l, f(l)) as far as the point t in (0, u] that it touches, and the curve from there on, so
// that the line is the tangent in the middle or at t, whichever is further to the right.
// Whatever slope comes out, the intercept is proven: on [l, 0] the curve is convex, so its distance to the line is greatest at an end,
// and on [0, u] overTangent bounds it.
// Source: Zhang et al. 2018 (CROWN), section 3.2 and table 2, which goes through (l, f(l)) always.
func (c sCurve) over(l, u float64) (k, icept float64) {
	switch {
	case l >= 0:
		t := l + (u-l)/2
		k = flush(c.slope(t))
		return k, c.overTangent(k, t, l, u)
	case u <= 0:
		k = flush(c.chord(l, u))
		_, fl := c.F(l)
		_, fu := c.F(u)
		return k, max(Above(k, l, fl), Above(k, u, fu))
	}
	_, fl := c.F(l)
	k = c.chord(l, u)
	t := u
	if d, _ := c.D(u); d < k {
		if t = l + (u-l)/2; !c.clears(t, l) {
			t = max(t, c.tangentFrom(l, u))
		}
		k = c.slope(t)
	}
	k = flush(k)
	return k, max(Above(k, l, fl), c.overTangent(k, t, 0, u))
}

// flush drops slopes so small that scaling them further would round.
func flush(k float64) float64 {
	if k < 0x1p-960 {
		return 0
	}
	return k
}

// clears tells whether t is right of 0 and the tangent at it is over (l, f(l)), nearly: its result needs no proof.
func (c sCurve) clears(t, l float64) bool {
	return t > 0 && c.middle(t)+c.slope(t)*(l-t) >= c.middle(l)
}

// tangentFrom finds t in (0, u] at which the tangent passes through (l, f(l)), l < 0, as near as some steps of regula falsi
// between bisections get; its result needs no proof.
func (c sCurve) tangentFrom(l, u float64) float64 {
	fl := c.middle(l)
	// h rises: below 0 the tangent runs under (l, f(l)).
	h := func(t float64) float64 { return c.middle(t) + c.slope(t)*(l-t) - fl }
	a, b := 0.0, min(u, -l)
	ha, hb := h(a), h(b)
	if hb <= 0 {
		return b
	}
	for range 40 {
		t := (a*hb - b*ha) / (hb - ha)
		// Keep away from the ends, so that both close in.
		if w := (b - a) / 16; !(t > a+w) {
			t = a + w
		} else if t > b-w {
			t = b - w
		}
		if b-a < 1e-7*b {
			break
		}
		if v := h(t); v > 0 {
			b, hb = t, v
		} else {
			a, ha = t, v
		}
	}
	return b
}

// Lines writes the lines of element i on [l, u].
func (c sCurve) Lines(i int, l, u float64, out *Lines) {
	if !sound.Finite(l) || !sound.Finite(u) {
		lo, _ := c.F(l)
		_, hi := c.F(u)
		if math.IsNaN(lo) || math.IsNaN(hi) {
			lo, hi = -1, 1
		}
		out.Flat(i, max(lo, -1), min(hi, 1))
		return
	}
	uk, uc := c.over(l, u)
	lk, lc := c.over(-u, -l) // the curve is odd
	out.Set(i, lk, -lc, uk, uc)
}

// NewSCurve is the S-curve of a function that has that form; near is the function and its derivative as fast as they can be had, nearly.
func NewSCurve(c Curve, near func(x float64) (y, slope float64)) sCurve { return sCurve{c, near} }

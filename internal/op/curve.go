package op

import (
	"math"

	"github.com/shallow-waters/shoal/internal/sound"
)

// curve is a differentiable function given by rigorous brackets of its value and of its derivative.
type curve struct {
	f func(x float64) (lo, hi float64)
	d func(x float64) (lo, hi float64)
}

// bend tells how a curve bends on an interval.
type bend int

const (
	convex bend = iota
	concave
)

func (c curve) negated() curve {
	return curve{
		func(x float64) (float64, float64) { lo, hi := c.f(x); return -hi, -lo },
		func(x float64) (float64, float64) { lo, hi := c.d(x); return -hi, -lo },
	}
}

// widen brackets a value that is known up to a relative error, with the smallest subnormals as absolute room.
func widen(x, rel float64) (lo, hi float64) {
	e := math.Abs(x)*rel + 0x1p-1070
	return sound.Down(x - e), sound.Up(x + e)
}

// above is the smallest intercept we can prove for a line of slope k to be over a value of at most v at x.
func above(k, x, v float64) float64 { return sound.AddUp(v, -sound.MulDown(k, x)) }

// below is the largest intercept with the line under a value of at least v at x.
func below(k, x, v float64) float64 { return sound.AddDown(v, -sound.MulUp(k, x)) }

// overTangent returns an intercept c with f(x) <= k*x + c on [a, b], where f is concave, for t in [a, b].
//
// With D = f'(t): f(x) - k*x <= f(t) - k*t + (D-k)(x-t), and the last term is largest at an end. It is tight when k is f'(t) as
// rounded, and holds for every k.
func (c curve) overTangent(k, t, a, b float64) float64 {
	_, hi := c.f(t)
	dlo, dhi := c.d(t)
	slack := max(0, sound.MulUp(sound.AddUp(dhi, -k), sound.AddUp(b, -t)), sound.MulUp(sound.AddUp(k, -dlo), sound.AddUp(t, -a)))
	return sound.AddUp(above(k, t, hi), slack)
}

// overChord returns slope and intercept of the chord over a convex f on [l, u].
func (c curve) overChord(l, u float64) (k, icept float64) {
	k = c.chord(l, u)
	_, fl := c.f(l)
	_, fu := c.f(u)
	return k, max(above(k, l, fl), above(k, u, fu))
}

// chord is the slope between the ends as near as float64 gives it; where the interval is too narrow for a quotient, the
// derivative.
func (c curve) chord(l, u float64) float64 {
	w := u - l
	if w > 1e-9*(math.Abs(l)+math.Abs(u)) && w > 1e-150 {
		a, b := c.f(l)
		p, q := c.f(u)
		return ((p + q) - (a + b)) / 2 / w
	}
	return c.slope(l + w/2)
}

// slope is the derivative at t as rounded.
func (c curve) slope(t float64) float64 {
	lo, hi := c.d(t)
	return lo + (hi-lo)/2
}

// over returns a line over f on [l, u]: the chord of a convex f, the tangent at t of a concave one.
func (c curve) over(b bend, t, l, u float64) (k, icept float64) {
	if b == convex {
		return c.overChord(l, u)
	}
	k = c.slope(t)
	return k, c.overTangent(k, t, l, u)
}

// curve writes the two lines of element i: chord on one side, tangent in the middle on the other.
func (out *Lines) curve(i int, c curve, b bend, l, u float64) {
	out.tangentAt(i, c, b, l+(u-l)/2, l, u)
}

func (out *Lines) tangentAt(i int, c curve, b bend, t, l, u float64) {
	t = min(max(t, l), u)
	uk, uc := c.over(b, t, l, u)
	lk, lc := c.negated().over(1-b, t, l, u)
	out.set(i, -lk, -lc, uk, uc)
}

// set writes the two lines of element i.
func (out *Lines) set(i int, loSlope, loIcept, upSlope, upIcept float64) {
	out.LoSlope[i], out.LoIcept[i], out.UpSlope[i], out.UpIcept[i] = loSlope, loIcept, upSlope, upIcept
}

// flat writes two constants for element i.
func (out *Lines) flat(i int, lo, hi float64) { out.set(i, 0, lo, 0, hi) }

// tidy replaces lines of element i that are not finite by what the interval gives.
func (out *Lines) tidy(i int, lo, hi float64) {
	if !finite(out.LoSlope[i]) || !finite(out.LoIcept[i]) {
		out.LoSlope[i], out.LoIcept[i] = 0, lo
	}
	if !finite(out.UpSlope[i]) || !finite(out.UpIcept[i]) {
		out.UpSlope[i], out.UpIcept[i] = 0, hi
	}
}

// curveLines is the Lines face of a function that bends one way everywhere and is finite on finite intervals.
func curveLines(c curve, b bend) LinesFunc {
	return func(_ Slope, l, u []float64, out *Lines) {
		for i := range l {
			out.curve(i, c, b, l[i], u[i])
			// Where a tangent or chord is not finite, a convex f is over nothing known and under its ends.
			lo, hi := math.Inf(-1), math.Inf(1)
			fl, fl2 := c.f(l[i])
			fu, fu2 := c.f(u[i])
			if b == convex {
				hi = max(fl2, fu2)
			} else {
				lo = min(fl, fu)
			}
			if math.IsNaN(lo) {
				lo = math.Inf(-1)
			}
			if math.IsNaN(hi) {
				hi = math.Inf(1)
			}
			out.tidy(i, lo, hi)
		}
	}
}

// squareCurve is x*x.
var squareCurve = curve{
	func(x float64) (float64, float64) { return max(sound.MulDown(x, x), 0), sound.MulUp(x, x) },
	func(x float64) (float64, float64) { return 2 * x, 2 * x },
}

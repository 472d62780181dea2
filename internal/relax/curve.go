package relax

import (
	"math"

	"github.com/shallow-waters/shoal/internal/sound"
)

// Curve is a differentiable function given by rigorous brackets of its value and of its derivative.
type Curve struct {
	F func(x float64) (lo, hi float64)
	D func(x float64) (lo, hi float64)
}

// bend tells how a curve bends on an interval.
type bend int

const (
	Convex bend = iota
	Concave
)

func (c Curve) Negated() Curve {
	return Curve{
		func(x float64) (float64, float64) { lo, hi := c.F(x); return -hi, -lo },
		func(x float64) (float64, float64) { lo, hi := c.D(x); return -hi, -lo },
	}
}

// Widen brackets a value that is known up to a relative error, with the smallest subnormals as absolute room.
func Widen(x, rel float64) (lo, hi float64) {
	e := math.Abs(x)*rel + 0x1p-1070
	return sound.Down(x - e), sound.Up(x + e)
}

// Above is the smallest intercept we can prove for a line of slope k to be over a value of at most v at x.
func Above(k, x, v float64) float64 { return sound.AddUp(v, -sound.MulDown(k, x)) }

// below is the largest intercept with the line under a value of at least v at x.
func below(k, x, v float64) float64 { return sound.AddDown(v, -sound.MulUp(k, x)) }

// overTangent returns an intercept c with f(x) <= k*x + c on [a, b], where f is concave, for t in [a, b].
//
// With D = f'(t): f(x) - k*x <= f(t) - k*t + (D-k)(x-t), and the last term is largest at an end. It is tight when k is f'(t) as
// rounded, and holds for every k.
func (c Curve) overTangent(k, t, a, b float64) float64 {
	_, hi := c.F(t)
	dlo, dhi := c.D(t)
	slack := max(0, sound.MulUp(sound.AddUp(dhi, -k), sound.AddUp(b, -t)), sound.MulUp(sound.AddUp(k, -dlo), sound.AddUp(t, -a)))
	return sound.AddUp(Above(k, t, hi), slack)
}

// OverChord returns slope and intercept of the chord over a convex f on [l, u].
func (c Curve) OverChord(l, u float64) (k, icept float64) {
	k = c.chord(l, u)
	_, fl := c.F(l)
	_, fu := c.F(u)
	return k, max(Above(k, l, fl), Above(k, u, fu))
}

// chord is the slope between the ends as near as float64 gives it; where the interval is too narrow for a quotient, the
// derivative.
func (c Curve) chord(l, u float64) float64 {
	w := u - l
	if w > 1e-9*(math.Abs(l)+math.Abs(u)) && w > 1e-150 {
		a, b := c.F(l)
		p, q := c.F(u)
		return ((p + q) - (a + b)) / 2 / w
	}
	return c.slope(l + w/2)
}

// slope is the derivative at t as rounded.
func (c Curve) slope(t float64) float64 {
	lo, hi := c.D(t)
	return lo + (hi-lo)/2
}

// Over returns a line over f on [l, u]: the chord of a convex f, the tangent at t of a concave one.
func (c Curve) Over(b bend, t, l, u float64) (k, icept float64) {
	if b == Convex {
		return c.OverChord(l, u)
	}
	k = c.slope(t)
	return k, c.overTangent(k, t, l, u)
}

// Curve writes the two lines of element i: chord on one side, tangent in the middle on the other.
func (out *Lines) Curve(i int, c Curve, b bend, l, u float64) {
	out.TangentAt(i, c, b, l+(u-l)/2, l, u)
}

func (out *Lines) TangentAt(i int, c Curve, b bend, t, l, u float64) {
	t = min(max(t, l), u)
	uk, uc := c.Over(b, t, l, u)
	lk, lc := c.Negated().Over(1-b, t, l, u)
	out.Set(i, -lk, -lc, uk, uc)
}

// CurveLines is the Lines face of a function that bends one way everywhere and is finite on finite intervals.
func CurveLines(c Curve, b bend) LinesFunc {
	return func(_ Slope, l, u []float64, out *Lines) {
		for i := range l {
			out.Curve(i, c, b, l[i], u[i])
			// Where a tangent or chord is not finite, a convex f is over nothing known and under its ends.
			lo, hi := math.Inf(-1), math.Inf(1)
			fl, fl2 := c.F(l[i])
			fu, fu2 := c.F(u[i])
			if b == Convex {
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
			out.Tidy(i, lo, hi)
		}
	}
}

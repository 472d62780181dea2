package relax

import "math"

// oscillation is sin or cos, for lines: convex and concave in turns, half a period each, with slopes within [-1, 1].
type oscillation struct {
	over, under Curve // the function and its negative
	// The inflection points are (k + shift)*pi for whole k, and from those of even k on the curve is concave, or with convexFirst convex.
	shift       float64
	convexFirst bool
	bounds      func(l, u float64) (lo, hi float64)
}

func NewOscillation(f, d func(float64) float64, shift float64, convexFirst bool, bounds func(l, u float64) (lo, hi float64)) *oscillation {
	around := func(f func(float64) float64) func(x float64) (float64, float64) {
		return func(x float64) (float64, float64) {
			y := f(x)
			return max(y-WaveMargin, -1), min(y+WaveMargin, 1)
		}
	}
	c := Curve{around(f), around(d)}
	return &oscillation{c, c.Negated(), shift, convexFirst, bounds}
}

// WaveTurns is the widest interval, in half periods, for which lines are looked for. Both lines of one of two periods and more are flat.
const WaveTurns = 4

// Lines is the Lines face: those of a function in parts, which begin and end at the inflection points nearby.
func (w *oscillation) Lines(_ Slope, l, u []float64, out *Lines) {
	var over, under [2 * (WaveTurns + 6)]part
	for i := range l {
		a, b := l[i], u[i]
		lo, hi := w.bounds(a, b)
		if !(math.Abs(a) < WaveLimit && math.Abs(b) < WaveLimit) || b-a > WaveTurns*math.Pi {
			out.Flat(i, lo, hi)
			continue
		}
		n := 0
		for k := math.Floor(a/math.Pi-w.shift) - 1; n < len(over); k++ {
			// The inflection point is within one rounding of pi, of the sum and of the product.
			x := (k + w.shift) * math.Pi
			e := math.Abs(x) * 0x1p-50
			// Before the point, the curve bends as it does after the one before.
			before := Concave
			if (math.Mod(k, 2) == 0) != w.convexFirst {
				before = Convex
			}
			over[n], over[n+1] = NewPart(w.over, before, x-e, 0), NewPart(w.over, Unsure, x+e, 1)
			under[n], under[n+1] = NewPart(w.under, 1-before, x-e, 0), NewPart(w.under, Unsure, x+e, 1)
			n += 2
			if x > b+1 {
				break
			}
		}
		if !(over[n-1].end >= b) { // the parts would not reach
			out.Flat(i, lo, hi)
			continue
		}
		uk, uc := lineOver(over[:n], a, b)
		lk, lc := lineOver(under[:n], a, b)
		out.Set(i, -lk, -lc, uk, uc)
		out.Tidy(i, lo, hi)
	}
}

// WaveMargin is the absolute error that we allow math.Sin and math.Cos where |x| < WaveLimit.
const (
	WaveMargin = 0x1p-48
	WaveLimit  = 1e5
)

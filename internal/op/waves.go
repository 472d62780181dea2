package op

import "math"

// oscillation is sin or cos, for lines: convex and concave in turns, half a period each, with slopes within [-1, 1].
type oscillation struct {
	over, under curve // the function and its negative
	// The inflection points are (k + shift)*pi for whole k, and from those of even k on the curve is concave, or with convexFirst convex.
	shift       float64
	convexFirst bool
	bounds      func(l, u float64) (lo, hi float64)
}

func newOscillation(f, d func(float64) float64, shift float64, convexFirst bool, bounds func(l, u float64) (lo, hi float64)) *oscillation {
	around := func(f func(float64) float64) func(x float64) (float64, float64) {
		return func(x float64) (float64, float64) {
			y := f(x)
			return max(y-waveMargin, -1), min(y+waveMargin, 1)
		}
	}
	c := curve{around(f), around(d)}
	return &oscillation{c, c.negated(), shift, convexFirst, bounds}
}

// waveTurns is the widest interval, in half periods, for which lines are looked for. Both lines of one of two periods and more are flat.
const waveTurns = 4

// lines is the Lines face: those of a function in parts, which begin and end at the inflection points nearby.
func (w *oscillation) lines(_ Slope, l, u []float64, out *Lines) {
	var over, under [2 * (waveTurns + 6)]part
	for i := range l {
		a, b := l[i], u[i]
		lo, hi := w.bounds(a, b)
		if !(math.Abs(a) < waveLimit && math.Abs(b) < waveLimit) || b-a > waveTurns*math.Pi {
			out.flat(i, lo, hi)
			continue
		}
		n := 0
		for k := math.Floor(a/math.Pi-w.shift) - 1; n < len(over); k++ {
			// The inflection point is within one rounding of pi, of the sum and of the product.
			x := (k + w.shift) * math.Pi
			e := math.Abs(x) * 0x1p-50
			// Before the point, the curve bends as it does after the one before.
			before := concave
			if (math.Mod(k, 2) == 0) != w.convexFirst {
				before = convex
			}
			over[n], over[n+1] = part{w.over, before, x - e, 0}, part{w.over, unsure, x + e, 1}
			under[n], under[n+1] = part{w.under, 1 - before, x - e, 0}, part{w.under, unsure, x + e, 1}
			n += 2
			if x > b+1 {
				break
			}
		}
		if !(over[n-1].end >= b) { // the parts would not reach
			out.flat(i, lo, hi)
			continue
		}
		uk, uc := lineOver(over[:n], a, b)
		lk, lc := lineOver(under[:n], a, b)
		out.set(i, -lk, -lc, uk, uc)
		out.tidy(i, lo, hi)
	}
}

package relax

import (
	"math"

	"github.com/shallow-waters/shoal/internal/sound"
)

// Stairs is the Lines face of functions that rise in steps of constant height, given their value and the places of the first and the last step
// between two of them: Floor, Ceil, Round, and Sign with its two steps at 0.
//
// Over the function lies a broken line through (l, f(l)), the top of the first step, the top of the last, and (u, f(u)): between the steps
// it rises as they do, and elsewhere f is constant, which a line that does not fall is over if it is over the left end. Below lie likewise the
// feet of the steps. Of the lines through two of these points that is taken which is nearest in the middle, with an intercept that is
// proven at all four.
func Stairs(f func(x float64) float64, steps func(lo, hi float64) (first, last, height float64)) LinesFunc {
	return func(_ Slope, l, u []float64, out *Lines) {
		for i := range l {
			a, b := l[i], u[i]
			lo, hi := f(a), f(b)
			if lo == hi || !(math.Abs(a) < widestStairs && math.Abs(b) < widestStairs) {
				out.Flat(i, lo, hi)
				continue
			}
			first, last, height := steps(lo, hi)
			m := a + (b-a)/2
			uk, uc := steepestOver([4]spot{{a, lo}, {first, lo + height}, {last, hi}, {b, hi}}, m)
			// The negative of the function, turned around, rises too.
			lk, lc := steepestOver([4]spot{{-b, -hi}, {-last, height - hi}, {-first, -lo}, {-a, -lo}}, -m)
			out.Set(i, lk, -lc, uk, uc)
		}
	}
}

// widestStairs is where float64 still holds halves.
const widestStairs = 1 << 51

// steepestOver is a line that does not fall, is over all points, and is as near to them at m as lines through two of them are.
func steepestOver(points [4]spot, m float64) (k, icept float64) {
	best := math.Inf(1)
	try := func(slope float64) {
		c := math.Inf(-1)
		for _, p := range points {
			c = max(c, Above(slope, p.x, p.y))
		}
		if h := slope*m + c; h < best {
			k, icept, best = slope, c, h
		}
	}
	try(0)
	for i, p := range points {
		for _, q := range points[i+1:] {
			if slope := (q.y - p.y) / (q.x - p.x); p.x <= m && m <= q.x && slope >= 0 && sound.Finite(slope) {
				try(slope)
			}
		}
	}
	return k, icept
}

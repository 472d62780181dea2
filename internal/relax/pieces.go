package relax

import "github.com/shallow-waters/shoal/internal/sound"

// Piecewise linear functions: a line bounds them on an interval when it does at the ends and at the kinks.

// ClipLine writes the lines of element i for y = min(max(x, lo), hi) on [l, u]; lo or hi may be infinite.
//
// One kink inside: as for Relu (the chord on one side; on the other the slope 0 or 1 that leaves the smaller area, or the
// chord's slope). Both kinks inside: above, the line through (l, lo) and (hi, hi) or the constant hi, whichever is lower in
// the middle; below likewise; with SlopeParallel the chord's slope on both sides.
func ClipLine(s Slope, i int, l, u, lo, hi float64, out *Lines) {
	lo = min(lo, hi)
	cl, cu := min(max(l, lo), hi), min(max(u, lo), hi)
	switch {
	case cl == cu:
		out.Flat(i, cl, cu)
	case l >= lo && u <= hi:
		out.Set(i, 1, 0, 1, 0)
	case !sound.Finite(u - l):
		out.Flat(i, cl, cu)
	case u <= hi: // l < lo < u: convex
		k := (u - lo) / (u - l)
		upper := max(Above(k, l, lo), Above(k, u, u))
		switch {
		case s == SlopeParallel:
			out.Set(i, k, below(k, lo, lo), k, upper)
		case u-lo > lo-l:
			out.Set(i, 1, 0, k, upper)
		default:
			out.Set(i, 0, lo, k, upper)
		}
	case l >= lo: // l < hi < u: concave
		k := (hi - l) / (u - l)
		lower := min(below(k, l, l), below(k, u, hi))
		switch {
		case s == SlopeParallel:
			out.Set(i, k, lower, k, Above(k, hi, hi))
		case hi-l > u-hi:
			out.Set(i, k, lower, 1, 0)
		default:
			out.Set(i, k, lower, 0, hi)
		}
	default: // l < lo < hi < u
		uk, lk := (hi-lo)/(hi-l), (hi-lo)/(u-lo)
		half := (u - l) / 2
		if s == SlopeParallel {
			uk = (hi - lo) / (u - l)
			lk = uk
		} else {
			if lo+uk*half > hi {
				uk = 0
			}
			if hi-lk*half < lo {
				lk = 0
			}
		}
		out.Set(i,
			lk, min(below(lk, l, lo), below(lk, lo, lo), below(lk, hi, hi), below(lk, u, hi)),
			uk, max(Above(uk, l, lo), Above(uk, lo, lo), Above(uk, hi, hi), Above(uk, u, hi)))
	}
}

// KinkLine writes the lines of element i for y = a*x below 0 and b*x from 0 on (LeakyRelu: b = 1; Abs: a = -1, b = 1).
//
// A convex one (a <= b) has the chord above and below the branch that leaves the smaller area, or with SlopeParallel the
// chord's slope through the kink; a concave one the reverse.
func KinkLine(s Slope, i int, l, u, a, b float64, out *Lines) {
	switch {
	case l >= 0:
		out.Set(i, b, 0, b, 0)
		return
	case u <= 0:
		out.Set(i, a, 0, a, 0)
		return
	case !sound.Finite(u - l):
		lo, hi := KinkBounds(l, u, a, b)
		out.Flat(i, lo, hi)
		return
	}
	k := (b*u - a*l) / (u - l)
	free := a
	if u > -l {
		free = b
	}
	if s == SlopeParallel {
		free = min(max(k, min(a, b)), max(a, b))
	}
	if a <= b {
		out.Set(i, free, 0, k, max(Above(k, l, sound.MulUp(a, l)), Above(k, u, sound.MulUp(b, u))))
	} else {
		out.Set(i, k, min(below(k, l, sound.MulDown(a, l)), below(k, u, sound.MulDown(b, u))), free, 0)
	}
}

// KinkBounds is the box of the same function.
func KinkBounds(l, u, a, b float64) (lo, hi float64) {
	end := func(x float64) (float64, float64) {
		if x < 0 {
			return sound.MulDown(a, x), sound.MulUp(a, x)
		}
		return sound.MulDown(b, x), sound.MulUp(b, x)
	}
	ll, lu := end(l)
	ul, uu := end(u)
	lo, hi = min(ll, ul), max(lu, uu)
	if l < 0 && u > 0 {
		lo, hi = min(lo, 0), max(hi, 0)
	}
	return lo, hi
}

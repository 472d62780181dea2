package relax

import "math"

// Clipped is the family of y = min(max(x, Lo), Hi), of which one may be infinite: its numbers are the slope of the line through (Lo, Lo) under the
// function, and that of the line through (Hi, Hi) over it. Whatever the slope is, the line is laid against the function's corners.
type Clipped struct{ Lo, Hi float64 }

var _ Family = Clipped{}

func (c Clipped) at(x float64) float64 { return min(max(x, min(c.Lo, c.Hi)), c.Hi) }

func (c Clipped) Ends(l, u float64) (e Ends) {
	lo, hi := min(c.Lo, c.Hi), c.Hi
	if !(lo < hi) {
		return e
	}
	half := (u - l) / 2
	if l < lo && lo < u {
		if u <= hi {
			e.Lo = Choice{0, 1, 0}
			if u-lo > lo-l {
				e.Lo.Usual = 1
			}
		} else {
			k := (hi - lo) / (u - lo)
			e.Lo = Choice{0, k, k}
			if hi-k*half < lo {
				e.Lo.Usual = 0
			}
		}
	}
	if l < hi && hi < u {
		if l >= lo {
			e.Up = Choice{0, 1, 0}
			if hi-l > u-hi {
				e.Up.Usual = 1
			}
		} else {
			k := (hi - lo) / (hi - l)
			e.Up = Choice{0, k, k}
			if lo+k*half > hi {
				e.Up.Usual = 0
			}
		}
	}
	return e
}

// corners are where a line that bounds the function on [l, u] must do so.
func (c Clipped) corners(l, u float64, each func(x, y float64)) {
	each(l, c.at(l))
	each(u, c.at(u))
	for _, x := range [2]float64{min(c.Lo, c.Hi), c.Hi} {
		if l < x && x < u {
			each(x, x)
		}
	}
}

func (c Clipped) Lower(l, u, p float64) (slope, icept float64) {
	slope, icept = into(p, 0, 1), math.Inf(1)
	c.corners(l, u, func(x, y float64) { icept = min(icept, below(slope, x, y)) })
	return slope, icept
}

func (c Clipped) Upper(l, u, p float64) (slope, icept float64) {
	slope, icept = into(p, 0, 1), math.Inf(-1)
	c.corners(l, u, func(x, y float64) { icept = max(icept, Above(slope, x, y)) })
	return slope, icept
}

func (c Clipped) Pull(upper bool, _, _, z, _ float64) float64 {
	if upper {
		return c.Hi - z
	}
	return z - min(c.Lo, c.Hi)
}

func (c Clipped) Value(x float64) float64       { return c.at(x) }
func (c Clipped) Steepest(_, _ float64) float64 { return 1 }

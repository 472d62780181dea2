package relax

import (
	"math"

	"github.com/shallow-waters/shoal/internal/sound"
)

// part is a piece of a function's graph, from the end of the piece before it (the first begins at -Inf) to its own end. Within it
// the function is the curve and bends one way. The pieces need not meet: where two end, both values count.
type part struct {
	Curve
	bend bend
	end  float64
	// steep is, of a part that bends as nobody knows, the largest slope in it. Such parts enclose an inflection point or a kink that
	// float64 cannot hold, and are as narrow as its margin.
	steep float64
}

// Unsure is the bend of a part of which only the largest slope is known.
const Unsure bend = 2

// Pieced is a function of one variable as a row of parts. Its lines are as near to it in the middle of the interval as lines
// can be, which for parts of a Relu is the choice of the smaller area.
type Pieced struct{ over, under []part } // the function's parts, and those of its negative

// NewPieced puts parts together. The slopes of parts with unsure bend lie within [gentle, steep].
func NewPieced(gentle float64, parts ...part) *Pieced {
	p := &Pieced{over: parts, under: make([]part, len(parts))}
	for i, q := range parts {
		q.Curve, q.steep = q.Negated(), -gentle
		if q.bend != Unsure {
			q.bend = 1 - q.bend
		}
		p.under[i] = q
	}
	return p
}

// Straight is a curve of constant slope k through the origin.
func Straight(k float64) Curve {
	return Curve{
		func(x float64) (float64, float64) { return sound.MulDown(k, x), sound.MulUp(k, x) },
		func(float64) (float64, float64) { return k, k },
	}
}

// Level is a curve of constant value.
func Level(y float64) Curve {
	return Curve{
		func(float64) (float64, float64) { return y, y },
		func(float64) (float64, float64) { return 0, 0 },
	}
}

// Lines is the Lines face, given the function's range on an interval. Where that is not bounded, nothing but it is told.
func (p *Pieced) Lines(bounds func(l, u float64) (lo, hi float64)) LinesFunc {
	return func(_ Slope, l, u []float64, out *Lines) {
		for i := range l {
			lo, hi := bounds(l[i], u[i])
			if math.IsNaN(lo) {
				lo = math.Inf(-1)
			}
			if math.IsNaN(hi) {
				hi = math.Inf(1)
			}
			if !sound.Finite(u[i]-l[i]) || !sound.Finite(lo) || !sound.Finite(hi) {
				out.Flat(i, lo, hi)
				continue
			}
			uk, uc := lineOver(p.over, l[i], u[i])
			lk, lc := lineOver(p.under, l[i], u[i])
			out.Set(i, -lk, -lc, uk, uc)
			out.Tidy(i, lo, hi)
		}
	}
}

// lineOver returns slope and intercept of a line over all parts on [l, u].
//
// The slope is a search's and needs no proof: the line over the function that is lowest in the middle m touches it at m, or once
// on each side of m; from the chord of the ends, the highest point over the chord replaces the one on its side until none is
// higher (the hull of the graph, found as by quickhull). The intercept is proven for the slope whatever it is.
func lineOver(parts []part, l, u float64) (k, icept float64) {
	m := l + (u-l)/2
	if at := partAt(parts, m); !(u-l > 1e-9*(math.Abs(l)+math.Abs(u)) && u-l > 1e-150) {
		k = at.slope(m)
	} else {
		k = hullSlope(parts, at, l, u, m)
	}
	return k, overAll(parts, k, l, u)
}

func partAt(parts []part, x float64) *part {
	for i := range parts {
		if x <= parts[i].end {
			return &parts[i]
		}
	}
	return &parts[len(parts)-1]
}

// spot is a point of a graph.
type spot struct{ x, y float64 }

// hullRounds is after how many points the search for a slope ends. Each halves the distance of the touching points at least.
const hullRounds = 12

func hullSlope(parts []part, at *part, l, u, m float64) float64 {
	// The tangent in the middle is the best line if nothing is over it.
	if k := at.slope(m); at.bend == Concave && sound.Finite(k) {
		y := at.middle(m)
		if top := highest(parts, k, l, u); !(top.y-y-k*(top.x-m) > 1e-9*(math.Abs(y)+math.Abs(k)*(u-l))) {
			return k
		}
	}
	p, q := spot{l, partAt(parts, l).middle(l)}, spot{u, partAt(parts, u).middle(u)}
	k := (q.y - p.y) / (q.x - p.x)
	for range hullRounds {
		top := highest(parts, k, l, u)
		if !(top.y-p.y-k*(top.x-p.x) > 1e-12*(math.Abs(p.y)+math.Abs(q.y)+math.Abs(top.y))) {
			break
		}
		if top.x <= m {
			p = top
		} else {
			q = top
		}
		if !(q.x-p.x > 1e-9*(u-l)) {
			break
		}
		k = (q.y - p.y) / (q.x - p.x)
	}
	return k
}

// middle is the function's value as rounded.
func (c Curve) middle(x float64) float64 {
	lo, hi := c.F(x)
	return lo + (hi-lo)/2
}

// highest finds where the graph is furthest over lines of slope k, nearly.
func highest(parts []part, k, l, u float64) spot {
	best, height := spot{l, math.Inf(-1)}, math.Inf(-1)
	a := l
	for i := range parts {
		p := &parts[i]
		b := min(u, p.end)
		if b < a {
			continue
		}
		spots := [3]float64{a, b, b}
		if p.bend == Concave {
			spots[2] = p.peak(k, a, b)
		}
		for _, x := range spots {
			if y := p.middle(x); y-k*x > height {
				best, height = spot{x, y}, y-k*x
			}
		}
		if a = b; a >= u {
			break
		}
	}
	return best
}

// peak is where a concave curve has slope k on [a, b], nearly, or the end nearer to that.
func (c Curve) peak(k, a, b float64) float64 {
	ha, hb := c.slope(a)-k, c.slope(b)-k
	switch {
	case ha <= 0:
		return a
	case hb >= 0:
		return b
	}
	for n := range 60 {
		w := b - a
		if !(w > 1e-12*(math.Abs(a)+math.Abs(b))) {
			break
		}
		t := (a*hb - b*ha) / (hb - ha)
		// Keep away from the ends, so that both close in; where the slopes say little, halve.
		if n%3 == 2 || !sound.Finite(t) {
			t = a + w/2
		} else {
			t = min(max(t, a+w/16), b-w/16)
		}
		if h := c.slope(t) - k; h > 0 {
			a, ha = t, h
		} else {
			b, hb = t, h
		}
	}
	return a + (b-a)/2
}

// overAll is an intercept with which a line of slope k is over all parts on [l, u]: over the ends of a convex part, over the tangent
// of a concave one, and over a ray of the largest slope in a part whose bend is not known.
func overAll(parts []part, k, l, u float64) float64 {
	c, a := math.Inf(-1), l
	for i := range parts {
		p := &parts[i]
		b := min(u, p.end)
		if b < a {
			continue
		}
		_, fa := p.F(a)
		switch p.bend {
		case Convex:
			_, fb := p.F(b)
			c = max(c, Above(k, a, fa), Above(k, b, fb))
		case Concave:
			c = max(c, p.overTangent(k, p.peak(k, a, b), a, b))
		default:
			c = max(c, sound.AddUp(Above(k, a, fa), max(0, sound.MulUp(sound.AddUp(p.steep, -k), sound.AddUp(b, -a)))))
		}
		if a = b; a >= u && p.end > u {
			break
		}
	}
	return c
}

// NewPart is a piece of a curve up to its end; steep is 0 but for one whose bend is unsure.
func NewPart(c Curve, b bend, end, steep float64) part { return part{c, b, end, steep} }

// Wave is a curve that is convex up to 0 and concave from there on.
func Wave(c Curve) []part {
	return []part{NewPart(c, Convex, 0, 0), NewPart(c, Concave, math.Inf(1), 0)}
}

// Steepening is a curve that is concave up to 0 and convex from there on.
func Steepening(c Curve) []part {
	return []part{NewPart(c, Concave, 0, 0), NewPart(c, Convex, math.Inf(1), 0)}
}

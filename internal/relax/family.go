package relax

import (
	"math"

	"github.com/shallow-waters/shoal/internal/sound"
)

// Family is the lines of a function among which may be chosen: one number says which lower line, one which upper line. What is chosen is never a
// matter of soundness: Lower and Upper hold on [l, u] for every number, also for one that is none.
type Family interface {
	// Ends are between what the numbers may lie on a finite interval [l, u], l < u.
	Ends(l, u float64) Ends
	// Lower is a line under the function on [l, u], Upper one over it. p is brought between its ends.
	Lower(l, u, p float64) (slope, icept float64)
	Upper(l, u, p float64) (slope, icept float64)
	// Pull tells which way p brings the lower or the upper line on [l, u] nearer to the function at z, and how fast, up to a positive factor. Nothing
	// sound rests on it.
	Pull(upper bool, l, u, z, p float64) float64
	// Value is the function at x, nearly. Nothing sound rests on it either.
	Value(x float64) float64
	// Steepest is at least the magnitude of the slope of every line whose number lies between the ends.
	Steepest(l, u float64) float64
}

// Ends are those of the lower and of the upper line's number.
type Ends struct{ Lo, Up Choice }

// Choice is what a number may be, and what it is for the line that Lines gives. From == To where nothing is to be chosen: then only Lines has the
// line.
type Choice struct{ From, To, Usual float64 }

// Open tells that there is something to choose.
func (c Choice) Open() bool { return c.From < c.To }

// Clamp brings a number between the ends; the usual one stands for what is none.
func (c Choice) Clamp(p float64) float64 {
	if math.IsNaN(p) {
		return c.Usual
	}
	return min(max(p, c.From), c.To)
}

// into brings a number into [a, b]; b stands for what is none.
func into(p, a, b float64) float64 {
	if !(p <= b) {
		return b
	}
	return max(p, a)
}

// Kinked is the family of y = a*x below 0 and b*x from 0 on: its number is the slope of the line through the kink, which lies under the function
// where it is convex (a <= b), and over it where it is concave.
type Kinked struct{ A, B float64 }

var _ Family = Kinked{}

func (k Kinked) Ends(l, u float64) (e Ends) {
	if !(l < 0 && u > 0) {
		return e
	}
	c := Choice{From: min(k.A, k.B), To: max(k.A, k.B), Usual: k.A}
	if u > -l {
		c.Usual = k.B
	}
	if k.A <= k.B {
		e.Lo = c
	} else {
		e.Up = c
	}
	return e
}

func (k Kinked) Lower(l, u, p float64) (slope, icept float64) { return k.line(l, u, p, k.A <= k.B) }
func (k Kinked) Upper(l, u, p float64) (slope, icept float64) { return k.line(l, u, p, k.A > k.B) }

// line is one through the kink where free, else the chord.
func (k Kinked) line(l, u, p float64, free bool) (slope, icept float64) {
	if free && l <= 0 && u >= 0 {
		return into(p, min(k.A, k.B), max(k.A, k.B)), 0
	}
	var m [4]float64
	out := Lines{m[:1], m[1:2], m[2:3], m[3:]}
	KinkLine(SlopeAdaptive, 0, l, u, k.A, k.B, &out)
	if free == (k.A <= k.B) { // of Lower
		return out.LoSlope[0], out.LoIcept[0]
	}
	return out.UpSlope[0], out.UpIcept[0]
}

// Pull is p*z' derivative, by which a line under the function rises and one over it must fall.
func (k Kinked) Pull(upper bool, _, _, z, _ float64) float64 {
	if upper {
		return -z
	}
	return z
}

func (k Kinked) Value(x float64) float64 {
	if x < 0 {
		return k.A * x
	}
	return k.B * x
}

func (k Kinked) Steepest(_, _ float64) float64 { return max(math.Abs(k.A), math.Abs(k.B)) }

// S-curves: the number of a tangent is where it touches.

var _ Family = sCurve{}

func (c sCurve) Ends(l, u float64) Ends {
	lo := c.touch(-u, -l)
	return Ends{Lo: Choice{-lo.To, -lo.From, -lo.Usual}, Up: c.touch(l, u)}
}

// touch is where tangents over the curve may touch: right of the point where that from (l, f(l)) does, for those left of it are nowhere better.
// See over.
func (c sCurve) touch(l, u float64) Choice {
	if l >= 0 {
		return Choice{l, u, l + (u-l)/2}
	}
	if u <= 0 {
		return Choice{}
	}
	if d, _ := c.D(u); !(d < c.chord(l, u)) {
		return Choice{}
	}
	from := c.tangentFrom(l, u)
	t := l + (u-l)/2
	if !c.clears(t, l) {
		t = max(t, from)
	}
	return Choice{min(from, t), u, t}
}

func (c sCurve) Upper(l, u, p float64) (slope, icept float64) { return c.tangentOver(l, u, p) }

func (c sCurve) Lower(l, u, p float64) (slope, icept float64) {
	k, i := c.tangentOver(-u, -l, -p) // the curve is odd
	return k, -i
}

// tangentOver is the tangent at t, raised to where it is proven to be over the curve: see over.
func (c sCurve) tangentOver(l, u, t float64) (k, icept float64) {
	switch {
	case l >= 0:
		t = into(t, l, u)
		k = flush(c.slope(t))
		return k, c.overTangent(k, t, l, u)
	case u <= 0:
		return c.over(l, u)
	}
	_, fl := c.F(l)
	t = into(t, 0, u)
	k = flush(c.slope(t))
	return k, max(Above(k, l, fl), c.overTangent(k, t, 0, u))
}

func (c sCurve) Pull(_ bool, _, _, z, p float64) float64 { return z - p }

func (c sCurve) Value(x float64) float64 { return c.middle(x) }

func (c sCurve) Steepest(_, _ float64) float64 {
	_, k := c.D(0)
	return sound.Up(k)
}

package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
)

// quotientForms bounds x/y, y of one sign, as the product of x and w = 1/y: a plane under (or over) x*w, in which w is replaced by the line under or
// over the hyperbola that its sign asks for. Where the end of the quotient's box is nearer in the middle, or y may be 0, that serves.
func quotientForms(ia, ib []int32, in []relax.Box, z relax.Box) *relax.Relaxation {
	n := len(z.Lower)
	lower, upper := relax.NewForms(n, 2), relax.NewForms(n, 2)
	w := onePair()
	for i := range n {
		x, y := at(ia, i), at(ib, i)
		a, b, c, d := in[0].Lower[x], in[0].Upper[x], in[1].Lower[y], in[1].Upper[y]
		m := a + (b-a)/2
		o := c + (d-c)/2
		lo, up := quotientSheets(a, b, c, d, w)
		if lo.P*m+lo.Q*o+lo.C > z.Lower[i] {
			lower.Add(0, x, lo.P)
			lower.Add(1, y, lo.Q)
			lower.Close(lo.C)
		} else {
			lower.Close(z.Lower[i])
		}
		if up.P*m+up.Q*o+up.C < z.Upper[i] {
			upper.Add(0, x, up.P)
			upper.Add(1, y, up.Q)
			upper.Close(up.C)
		} else {
			upper.Close(z.Upper[i])
		}
	}
	return &relax.Relaxation{Lower: *lower, Upper: *upper}
}

// quotientSheets are planes in x and y; where nothing is known their constants are infinite or no numbers. w has room for one pair of lines.
func quotientSheets(a, b, c, d float64, w *relax.Lines) (lower, upper relax.Sheet) {
	nothing := math.NaN()
	switch {
	case !sound.Finite(b-a) || !sound.Finite(d-c) || !(c > 0 || d < 0):
		return relax.Sheet{C: nothing}, relax.Sheet{C: nothing}
	case d < 0: // of -x and -y
		lower, upper = quotientSheets(-b, -a, -d, -c, w)
		return relax.Sheet{P: -lower.P, Q: -lower.Q, C: lower.C}, relax.Sheet{P: -upper.P, Q: -upper.Q, C: upper.C}
	}
	wl, wu := sound.Down(1/d), sound.Up(1/c)
	if !sound.Finite(wu) {
		return relax.Sheet{C: nothing}, relax.Sheet{C: nothing}
	}
	inverse(0, []float64{c}, []float64{d}, w)
	lo, up := relax.ProductSheets(a, b, wl, wu)
	lower = instead(lo, w, d)
	upper = instead(relax.Sheet{P: -up.P, Q: -up.Q, C: -up.C}, w, d)
	return lower, relax.Sheet{P: -upper.P, Q: -upper.Q, C: -upper.C}
}

// inverse has the lines of 1/y.
var inverse = hyperbolaLines([]float64{1})

// instead is a plane under s in which the second variable is replaced by its lines in another, which is at most d in size. The slope rounds once.
func instead(s relax.Sheet, w *relax.Lines, d float64) relax.Sheet {
	k, c := w.LoSlope[0], w.LoIcept[0]
	if s.Q < 0 {
		k, c = w.UpSlope[0], w.UpIcept[0]
	}
	q := s.Q * k
	slack := sound.Up(2*sound.Unit*math.Abs(q)*d) + 0x1p-1060*(1+d)
	return relax.Sheet{P: s.P, Q: q, C: sound.AddDown(sound.AddDown(s.C, sound.MulDown(s.Q, c)), -slack)}
}

// onePair has room for the lines of one element.
func onePair() *relax.Lines {
	b := make([]float64, 4)
	return &relax.Lines{LoSlope: b[:1], LoIcept: b[1:2], UpSlope: b[2:3], UpIcept: b[3:]}
}

package op

import (
	"math"

	"github.com/shallow-waters/shoal/internal/sound"
)

// quotientForms bounds x/y, y of one sign, as the product of x and w = 1/y: a plane under (or over) x*w, in which w is replaced by the line under or
// over the hyperbola that its sign asks for. Where the end of the quotient's box is nearer in the middle, or y may be 0, that serves.
func quotientForms(ia, ib []int32, in []Box, z Box) *Relaxation {
	n := len(z.Lower)
	lower, upper := newForms(n, 2), newForms(n, 2)
	w := &Lines{make([]float64, 1), make([]float64, 1), make([]float64, 1), make([]float64, 1)}
	for i := range n {
		x, y := at(ia, i), at(ib, i)
		a, b, c, d := in[0].Lower[x], in[0].Upper[x], in[1].Lower[y], in[1].Upper[y]
		m := a + (b-a)/2
		o := c + (d-c)/2
		lo, up := quotientSheets(a, b, c, d, w)
		if lo.p*m+lo.q*o+lo.c > z.Lower[i] {
			lower.add(0, x, lo.p)
			lower.add(1, y, lo.q)
			lower.close(lo.c)
		} else {
			lower.close(z.Lower[i])
		}
		if up.p*m+up.q*o+up.c < z.Upper[i] {
			upper.add(0, x, up.p)
			upper.add(1, y, up.q)
			upper.close(up.c)
		} else {
			upper.close(z.Upper[i])
		}
	}
	return &Relaxation{*lower, *upper}
}

// quotientSheets are planes in x and y; where nothing is known their constants are infinite or no numbers. w has room for one pair of lines.
func quotientSheets(a, b, c, d float64, w *Lines) (lower, upper sheet) {
	nothing := math.NaN()
	switch {
	case !finite(b-a) || !finite(d-c) || !(c > 0 || d < 0):
		return sheet{c: nothing}, sheet{c: nothing}
	case d < 0: // of -x and -y
		lower, upper = quotientSheets(-b, -a, -d, -c, w)
		return sheet{-lower.p, -lower.q, lower.c}, sheet{-upper.p, -upper.q, upper.c}
	}
	wl, wu := sound.Down(1/d), sound.Up(1/c)
	if !finite(wu) {
		return sheet{c: nothing}, sheet{c: nothing}
	}
	inverse(0, []float64{c}, []float64{d}, w)
	lo, up := productSheets(a, b, wl, wu)
	lower = lo.instead(w, d)
	upper = sheet{-up.p, -up.q, -up.c}.instead(w, d)
	return lower, sheet{-upper.p, -upper.q, -upper.c}
}

// inverse has the lines of 1/y.
var inverse = hyperbolaLines([]float64{1})

// instead is a plane under s in which the second variable is replaced by its lines in another, which is at most d in size. The slope rounds once.
func (s sheet) instead(w *Lines, d float64) sheet {
	k, c := w.LoSlope[0], w.LoIcept[0]
	if s.q < 0 {
		k, c = w.UpSlope[0], w.UpIcept[0]
	}
	q := s.q * k
	slack := sound.Up(2*sound.Unit*math.Abs(q)*d) + 0x1p-1060*(1+d)
	return sheet{s.p, q, sound.AddDown(sound.AddDown(s.c, sound.MulDown(s.q, c)), -slack)}
}

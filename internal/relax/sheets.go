package relax

import (
	"math"

	"github.com/shallow-waters/shoal/internal/sound"
)

// Sheet is p*x + q*y + c.
type Sheet struct{ P, Q, C float64 }

// ProductSheets bounds x*y over the finite box [a, b] x [c, d] by a plane from below and one from above.
func ProductSheets(a, b, c, d float64) (lower, upper Sheet) {
	lower = underProduct(a, b, c, d)
	upper = underProduct(a, b, -d, -c) // of x*(-y)
	return lower, Sheet{-upper.P, upper.Q, -upper.C}
}

// underProduct is a plane under x*y. McCormick has two,
//
//	c*x + a*y - a*c <= x*y   from (x-a)(y-c) >= 0
//	d*x + b*y - b*d <= x*y   from (b-x)(d-y) >= 0
//
// which are equally near at the centre of the box, and so is every mean of them. The one taken is that whose least value over the box is
// greatest: it falls the least where the rows that go on down from here know nothing better. Whatever slopes come out, the constant is proven:
// x*y less a plane is linear in x and in y, and so has its least value at a corner.
// Source: McCormick 1976, Computability of global solutions to factorable nonconvex programs, part I, section 4.
func underProduct(a, b, c, d float64) Sheet {
	share := flattest(a, b, c, d)
	if share == 1 {
		return Sheet{c, a, -sound.MulUp(a, c)}
	}
	p, q := d+share*(c-d), b+share*(a-b)
	least := math.Inf(1)
	for _, x := range [2]float64{a, b} {
		for _, y := range [2]float64{c, d} {
			least = min(least, sound.AddDown(sound.AddDown(sound.MulDown(x, y), -sound.MulUp(p, x)), -sound.MulUp(q, y)))
		}
	}
	if !sound.Finite(p) || !sound.Finite(q) || !sound.Finite(least) { // of factors whose products are not numbers
		l, _ := MulBounds(a, b, c, d)
		return Sheet{0, 0, l}
	}
	return Sheet{p, q, least}
}

// flattest is the share of the first plane in the mean of both whose least value over the box is greatest. That value is a concave function of the
// share, linear but where one of the slopes is 0.
func flattest(a, b, c, d float64) float64 {
	best, height := 1.0, math.Inf(-1)
	for _, s := range [4]float64{1, 0, d / (d - c), b / (b - a)} {
		if !(s >= 0 && s <= 1) {
			continue
		}
		p, q := d+s*(c-d), b+s*(a-b)
		if h := min(p*a, p*b) + min(q*c, q*d) - s*a*c - (1-s)*b*d; h > height {
			best, height = s, h
		}
	}
	return best
}

// MulBounds bounds the products of two intervals.
func MulBounds(a, b, c, d float64) (lo, hi float64) {
	lo = min(sound.MulDown(a, c), sound.MulDown(a, d), sound.MulDown(b, c), sound.MulDown(b, d))
	hi = max(sound.MulUp(a, c), sound.MulUp(a, d), sound.MulUp(b, c), sound.MulUp(b, d))
	return lo, hi
}

package op

import (
	"math"

	"github.com/shallow-waters/shoal/internal/sound"
)

// sheet is p*x + q*y + c.
type sheet struct{ p, q, c float64 }

// productSheets bounds x*y over the finite box [a, b] x [c, d] by a plane from below and one from above.
func productSheets(a, b, c, d float64) (lower, upper sheet) {
	lower = underProduct(a, b, c, d)
	upper = underProduct(a, b, -d, -c) // of x*(-y)
	return lower, sheet{-upper.p, upper.q, -upper.c}
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
func underProduct(a, b, c, d float64) sheet {
	share := flattest(a, b, c, d)
	if share == 1 {
		return sheet{c, a, -sound.MulUp(a, c)}
	}
	p, q := d+share*(c-d), b+share*(a-b)
	least := math.Inf(1)
	for _, x := range [2]float64{a, b} {
		for _, y := range [2]float64{c, d} {
			least = min(least, sound.AddDown(sound.AddDown(sound.MulDown(x, y), -sound.MulUp(p, x)), -sound.MulUp(q, y)))
		}
	}
	if !finite(p) || !finite(q) || !finite(least) { // of factors whose products are not numbers
		l, _ := mulBounds(a, b, c, d)
		return sheet{0, 0, l}
	}
	return sheet{p, q, least}
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

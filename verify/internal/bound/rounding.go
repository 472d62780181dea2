package bound

import (
	"github.com/shallow-waters/shoal/internal/affine"
)

// float64 and float32 unit roundoffs.
const (
	unit64 = 0x1p-53
	unit32 = 0x1p-24
)

// Absolute terms that cover underflow, added to every m (see value.setGamma): a sum of up to 2^20 products of float64 loses less
// than 2^-1000 by gradual underflow, and one of float32 less than gamma32 * 2^-98 even if all results below 2^-126 are flushed to zero.
const (
	tiny64 = 0x1p-900
	tiny32 = 0x1p-98
)

// folded is the number of roundings that a weight may carry beyond its own when a runtime folds the scale of a BatchNormalization, Mul or
// Div that follows (at most 5.5 each: a sum, a root, a quotient and products) into the weights.
const folded = 12

// setGamma fixes the factor of m = sum |A_k| max|x_k| + |b| that bounds the rounding of one affine step, forward and backward.
//
// Forward, an output sums terms products; its bounds take three such sums. Backward, a coefficient sums at most n products, and the
// row's constant n more. 32 covers what happens to coefficients between two affine steps: a slope's product, and the
// sum where several paths meet. Source: Higham 2002, section 3.1; DESIGN section 5.
func (v *value) setGamma() {
	if v.copies() {
		return
	}
	const slack = 1 + 0x1p-20 // m itself is a rounded sum of positive terms
	v.gamma = (affine.Gamma(3*v.terms+v.n+32) + v.rel*(1+0x1p-30)) * slack
	x := float64(v.terms+3+folded+v.exec.Roundings()) * unit32
	v.gamma3 = x / (1 - x) * slack
}

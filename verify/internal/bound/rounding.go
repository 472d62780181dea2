package bound

import "github.com/shallow-waters/shoal/internal/sound"

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
	v.gamma = (sound.Gamma(3*v.terms+v.n+32) + v.rel*(1+0x1p-30)) * slack
	v.gamma3 = sound.Gamma32(v.terms + 3 + folded + v.exec.Roundings())
}

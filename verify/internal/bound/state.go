package bound

import (
	"github.com/shallow-waters/shoal/internal/relax"
)

// state is what one pass knows of one value.
type state struct {
	lo, up []float64 // box, stored order
	mag    []float64 // inputs: largest magnitude of every element
	m      []float64 // affine values: sum |A||x|max + |b|, see setGamma
	g      float64   // factor of m

	lines relax.Lines // act values
	ic    []float64   // act values: largest intercept by magnitude; nil where ReLU's sign rule serves
	forms *relax.Relaxation
	fm    []float64   // relax values: largest magnitude of the forms' terms
	err   []float64   // what a float32 execution of the value itself is off beside g*m, per element, see computed; nil for nothing
	top   float64     // largest magnitude when the value was laid
	reach float64     // affine values, float32: the largest operand of their products, see pass.reach
	joint []float64   // of a value that joins: m of the layer that it and the one in front may become; see pass.jointSums
	cl    relax.Lines // lines and m restricted to the pass' live elements
	cm    []float64
}

// peak is the largest magnitude of an element.
func (s *state) peak() float64 {
	most := 0.0
	for i, l := range s.lo {
		most = max(most, -l, s.up[i])
	}
	return most
}

// shared is what the boxes of a pass have in common at one value.
type shared struct {
	live   []int32   // elements that are not constant zero for some box; nil for all
	cindex []int32   // affine values: the elements that cbias and the states' cm belong to
	cbias  []float64 // bias restricted to them
}

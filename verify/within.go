package verify

import (
	"fmt"
	"math/big"
)

// Within is the property that every output stays close to a value all over the ball: |y[i] - at[i]| <= tolerance for each i, the outputs flat in the
// model's order. at are exact numbers, one for each of the model's outputs: what Predict gave at the ball's centre, say. Each output has two cases:
// y[i] > at[i] + tolerance, and y[i] < at[i] - tolerance.
//
// A value that is no finite number, another number of values than the model has outputs, and a tolerance that is not above 0 are errors (ErrInput)
// where the property is asked.
func Within(ball Ball, at []float64, tolerance *big.Rat) Property {
	fault := func(format string, args ...any) Property {
		return Property{Cases: []Case{{fault: fmt.Errorf("%w: "+format, append([]any{ErrInput}, args...)...)}}}
	}
	if len(at) == 0 {
		return fault("no values for outputs to stay close to")
	}
	if tolerance == nil || tolerance.Sign() <= 0 {
		return fault("a tolerance that is not above 0")
	}
	if !finite(at) {
		return fault("outputs cannot stay close to %v", at)
	}
	if err := ball.check(); err != nil {
		return Property{Cases: []Case{{fault: err}}}
	}
	outer, inner := ball.Boxes()
	one, minus := big.NewRat(1, 1), big.NewRat(-1, 1)
	var p Property
	for i, v := range at {
		value := new(big.Rat).SetFloat64(v)
		above := Constraint{Index: []int{i}, Coef: []*big.Rat{minus}, Bound: new(big.Rat).Neg(new(big.Rat).Add(value, tolerance)), Strict: true}
		below := Constraint{Index: []int{i}, Coef: []*big.Rat{one}, Bound: new(big.Rat).Sub(value, tolerance), Strict: true}
		for _, q := range []Constraint{above, below} {
			p.Cases = append(p.Cases, Case{Box: outer, Inner: &inner, Constraints: []Constraint{q}, all: len(at)})
		}
	}
	return p
}

// round.go — Round, opset 11, 22: the nearest integer, halves to the even one.

package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"math"
)

var roundOp = op.Def{
	Name: "Round", Since: 11, AnyOrder: true,
	Shape: sameShape, Eval: float64Only(math.RoundToEven),
	Gradient: stepGradient,
	Interval: elementInterval(rising(roundEnds)),
	Linear:   lines(relax.Stairs(math.RoundToEven, func(lo, hi float64) (first, last, height float64) { return lo + 0.5, hi - 0.5, 1 }), 0, "exact"),
	Couple:   coupleElementwise,
}

// roundEnds brackets the value, which float64 holds.
func roundEnds(x float64) (lo, hi float64) { return math.RoundToEven(x), math.RoundToEven(x) }

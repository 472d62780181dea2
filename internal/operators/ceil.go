// ceil.go — Ceil, opset 6, 13: the smallest integer not below x.

package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"math"
)

var ceilOp = op.Def{
	Name: "Ceil", Since: 6, AnyOrder: true,
	Shape: sameShape, Eval: float64Only(math.Ceil),
	Gradient: stepGradient,
	Interval: elementInterval(rising(ceilEnds)),
	Linear:   lines(relax.Stairs(math.Ceil, func(lo, hi float64) (first, last, height float64) { return lo, hi - 1, 1 }), 0, "exact"),
	Couple:   coupleElementwise,
}

// ceilEnds brackets the value, which float64 holds.
func ceilEnds(x float64) (lo, hi float64) { return math.Ceil(x), math.Ceil(x) }

// floor.go — Floor, opset 6, 13: the largest integer not above x.

package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"math"
)

var floorOp = op.Def{
	Name: "Floor", Since: 6, AnyOrder: true,
	Shape: sameShape, Eval: float64Only(math.Floor),
	Gradient: stepGradient,
	Interval: elementInterval(rising(floorEnds)),
	Linear:   lines(relax.Stairs(math.Floor, func(lo, hi float64) (first, last, height float64) { return lo + 1, hi, 1 }), 0, "exact"),
	Couple:   coupleElementwise,
}

// floorEnds brackets the value, which float64 holds.
func floorEnds(x float64) (lo, hi float64) { return math.Floor(x), math.Floor(x) }

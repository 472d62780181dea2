// floor.go — Floor, opset 6, 13: the largest integer not above x.

package op

import "math"

func init() {
	exact := func(x float64) (float64, float64) { return math.Floor(x), math.Floor(x) }
	Register(Def{
		Name: "Floor", Since: 6, AnyOrder: true,
		Shape: sameShape, Eval: float64Only(math.Floor),
		Gradient: zeroGradient,
		Interval: elementInterval(rising(exact)),
		Linear:   lines(stairs(math.Floor, func(lo, hi float64) (first, last, height float64) { return lo + 1, hi, 1 }), 0, "exact"),
		Couple:   coupleElementwise,
	})
}

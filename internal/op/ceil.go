// ceil.go — Ceil, opset 6, 13: the smallest integer not below x.

package op

import "math"

func init() {
	exact := func(x float64) (float64, float64) { return math.Ceil(x), math.Ceil(x) }
	Register(Def{
		Name: "Ceil", Since: 6, AnyOrder: true,
		Shape: sameShape, Eval: float64Only(math.Ceil),
		Gradient: zeroGradient,
		Interval: elementInterval(rising(exact)),
		Linear:   lines(stairs(math.Ceil, func(lo, hi float64) (first, last, height float64) { return lo, hi - 1, 1 }), 0, "exact"),
		Couple:   coupleElementwise,
	})
}

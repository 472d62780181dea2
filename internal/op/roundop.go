// roundop.go — Round, opset 11, 22: the nearest integer, halves to the even one.

package op

import "math"

func init() {
	exact := func(x float64) (float64, float64) { return math.RoundToEven(x), math.RoundToEven(x) }
	Register(Def{
		Name: "Round", Since: 11, AnyOrder: true,
		Shape: sameShape, Eval: float64Only(math.RoundToEven),
		Gradient: zeroGradient,
		Interval: elementInterval(rising(exact)),
		Linear:   lines(stairs(math.RoundToEven, func(lo, hi float64) (first, last, height float64) { return lo + 0.5, hi - 0.5, 1 }), 0, "exact"),
		Couple:   coupleElementwise,
	})
}

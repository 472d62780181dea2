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
		Linear:   lines(flatLines(rising(exact)), 0, "exact"),
		Couple:   coupleElementwise,
	})
}

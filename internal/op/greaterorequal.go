// greaterorequal.go — GreaterOrEqual, opset 12, 16: y = (a >= b) with broadcasting, as bool.

package op

func init() {
	interval := compareInterval(true, true)
	Register(Def{
		Name: "GreaterOrEqual", Since: 12,
		Shape: pairOfBools, Eval: comparing(true, true).eval,
		Interval: interval, Linear: boxForms(interval, Exact("exact")),
		Couple: coupleElementwise,
	})
}

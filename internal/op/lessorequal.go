// lessorequal.go — LessOrEqual, opset 12, 16: y = (a <= b) with broadcasting, as bool.

package op

func init() {
	interval := compareInterval(false, true)
	Register(Def{
		Name: "LessOrEqual", Since: 12,
		Shape: pairOfBools, Eval: comparing(false, true).eval,
		Interval: interval, Linear: boxForms(interval, Exact("exact")),
		Couple: coupleElementwise,
	})
}

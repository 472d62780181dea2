// greater.go — Greater, opset 7, 9, 13: y = (a > b) with broadcasting, as bool.

package op

func init() {
	interval := compareInterval(true, false)
	Register(Def{
		Name: "Greater", Since: 7,
		Shape: pairOfBools, Eval: comparing(true, false).eval,
		Interval: interval, Linear: boxForms(interval, Exact("exact")),
		Couple: coupleElementwise,
	})
}

// less.go — Less, opset 7, 9, 13: y = (a < b) with broadcasting, as bool.

package op

func init() {
	interval := compareInterval(false, false)
	Register(Def{
		Name: "Less", Since: 7,
		Shape: pairOfBools, Eval: comparing(false, false).eval,
		Interval: interval, Linear: boxForms(interval, Exact("exact")),
		Couple: coupleElementwise,
	})
}

// isinf.go — IsInf, opset 10, 20: y tells where x is infinite, of the signs that the attributes name.

package op

import "math"

func init() {
	Register(Def{
		Name: "IsInf", Since: 10,
		Attrs: Attributes{"detect_negative": boolean, "detect_positive": boolean},

		Shape: boolShape, Eval: isInfEval,
		Interval: neverUnlessHuge, Linear: boxForms(neverUnlessHuge, Exact("exact")),
		Couple: coupleElementwise,
	})
}

func isInfEval(c *Call) error {
	negative, positive := c.Node.Attrs.Int("detect_negative", 1) != 0, c.Node.Attrs.Int("detect_positive", 1) != 0
	return eachTest(c, func(x float64) bool { return negative && math.IsInf(x, -1) || positive && math.IsInf(x, 1) })
}

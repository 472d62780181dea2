// isinf.go — IsInf, opset 10, 20: y tells where x is infinite, of the signs that the attributes name.

package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"math"
)

var isInfOp = op.Def{
	Name: "IsInf", Since: 10,
	Attrs: op.Attributes{"detect_negative": op.Boolean, "detect_positive": op.Boolean},

	Shape: boolShape, Eval: isInfEval,
	Interval: neverUnlessHuge, Linear: boxForms(neverUnlessHuge, op.Exact("exact")),
	Couple: coupleElementwise,
}

func isInfEval(c *op.Call) error {
	negative, positive := c.Node.Attrs.Int("detect_negative", 1) != 0, c.Node.Attrs.Int("detect_positive", 1) != 0
	return eachTest(c, func(x float64) bool { return negative && math.IsInf(x, -1) || positive && math.IsInf(x, 1) })
}

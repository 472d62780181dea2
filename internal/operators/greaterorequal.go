// greaterorequal.go — GreaterOrEqual, opset 12, 16: y = (a >= b) with broadcasting, as bool.

package operators

import "github.com/shallow-waters/shoal/internal/op"

var greaterOrEqualInterval = compareInterval(true, true)

var greaterOrEqualOp = op.Def{
	Name: "GreaterOrEqual", Since: 12,
	Shape: pairOfBools, Eval: comparing(true, true).eval,
	Interval: greaterOrEqualInterval, Linear: boxForms(greaterOrEqualInterval, op.Exact("exact")),
	Couple: coupleElementwise,
}

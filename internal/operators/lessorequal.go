// lessorequal.go — LessOrEqual, opset 12, 16: y = (a <= b) with broadcasting, as bool.

package operators

import "github.com/shallow-waters/shoal/internal/op"

var lessOrEqualInterval = compareInterval(false, true)

var lessOrEqualOp = op.Def{
	Name: "LessOrEqual", Since: 12,
	Shape: pairOfBools, Eval: comparing(false, true).eval,
	Interval: lessOrEqualInterval, Linear: boxForms(lessOrEqualInterval, op.Exact("exact")),
	Couple: coupleElementwise,
}

// less.go — Less, opset 7, 9, 13: y = (a < b) with broadcasting, as bool.

package operators

import "github.com/shallow-waters/shoal/internal/op"

var lessInterval = compareInterval(false, false)

var lessOp = op.Def{
	Name: "Less", Since: 7,
	Shape: pairOfBools, Eval: comparing(false, false).eval,
	Interval: lessInterval, Linear: boxForms(lessInterval, op.Exact("exact")),
	Couple: coupleElementwise,
}

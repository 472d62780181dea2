// greater.go — Greater, opset 7, 9, 13: y = (a > b) with broadcasting, as bool.

package operators

import "github.com/shallow-waters/shoal/internal/op"

var greaterInterval = compareInterval(true, false)

var greaterOp = op.Def{
	Name: "Greater", Since: 7,
	Shape: pairOfBools, Eval: comparing(true, false).eval,
	Interval: greaterInterval, Linear: boxForms(greaterInterval, op.Exact("exact")),
	Couple: coupleElementwise,
}

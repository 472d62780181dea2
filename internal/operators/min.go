// min.go — Min, opset 6, 8 (broadcasting), 12, 13: the minimum of any number of inputs.

package operators

import "github.com/shallow-waters/shoal/internal/op"

var minOp = op.Def{
	Name: "Min", Since: 6, AnyOrder: true,
	Shape:    broadcastType,
	Eval:     variadicEval(ordering(false)),
	Gradient: extremeGradient(false),
	Interval: extremeInterval(false),
	Linear:   extremeLinear(false),
	Hinges:   extremeHinges(false),
	Couple:   coupleElementwise,
}

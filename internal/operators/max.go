// max.go — Max, opset 6, 8 (broadcasting), 12, 13: the maximum of any number of inputs.

package operators

import "github.com/shallow-waters/shoal/internal/op"

var maxOp = op.Def{
	Name: "Max", Since: 6, AnyOrder: true,
	Shape:    broadcastType,
	Eval:     variadicEval(ordering(true)),
	Gradient: extremeGradient(true),
	Interval: extremeInterval(true),
	Linear:   extremeLinear(true),
	Hinges:   extremeHinges(true),
	Couple:   coupleElementwise,
}

// reducemean.go — ReduceMean, opset 1, 11, 13 (axes as attribute), 18 (axes as input): means along axes.

package operators

import "github.com/shallow-waters/shoal/internal/op"

var reduceMeanOp = op.Def{Name: "ReduceMean", Since: 1, Wraps: op.WrapsRounded, Zero: op.ZeroKept,
	Attrs: reducing,
	Shape: reduceShape(18), Eval: sumEval(18, true), Gradient: reduceGradient(foldAxes, meanSlope), Linear: reduceLinear(18, true),
	Couple: coupleReduce(18, false)}

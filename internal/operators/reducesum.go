// reducesum.go — ReduceSum, opset 1, 11 (axes as attribute), 13 (axes as input): sums along axes.

package operators

import "github.com/shallow-waters/shoal/internal/op"

var reduceSumOp = op.Def{Name: "ReduceSum", Since: 1, Wraps: op.WrapsExact, Zero: op.ZeroKept,
	Attrs: reducing,
	Shape: reduceShape(13), Eval: sumEval(13, false), Gradient: reduceGradient(13, sumSlope), Linear: reduceLinear(13, false),
	Couple: coupleReduce(13, true)}

// reducemax.go — ReduceMax, opset 1, 11, 12, 13 (axes as attribute), 18 (axes as input), 20 (bool): maxima along axes.

package operators

import "github.com/shallow-waters/shoal/internal/op"

var reduceMaxOp = op.Def{Name: "ReduceMax", Since: 1, Zero: op.ZeroKept,
	Attrs: reducing,
	Shape: reduceShape(foldAxes), Eval: extremeEval(true),
	Gradient: reduceGradient(foldAxes, extremeSlope(true)),
	Interval: foldInterval(extremeBounds(true)), Linear: extremeRows(true), Hinges: extremeOver(true), Couple: coupleReduce(18, false)}

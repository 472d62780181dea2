// reducemin.go — ReduceMin, opset 1, 11, 12, 13 (axes as attribute), 18 (axes as input), 20 (bool): minima along axes.

package operators

import "github.com/shallow-waters/shoal/internal/op"

var reduceMinOp = op.Def{Name: "ReduceMin", Since: 1,
	Attrs: reducing,
	Shape: reduceShape(foldAxes), Eval: extremeEval(false),
	Gradient: reduceGradient(foldAxes, extremeSlope(false)),
	Interval: foldInterval(extremeBounds(false)), Linear: extremeRows(false), Hinges: extremeOver(false), Couple: coupleReduce(18, false)}

// reducel2.go — ReduceL2, opset 1, 11, 13 (axes as attribute), 18 (axes as input): Euclidean norms along axes.

package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"math"
)

var normFold = fold{f: func(acc, x float64) float64 { return acc + x*x }, finish: math.Sqrt}
var normInterval = foldInterval(normBounds)

var reduceL2Op = op.Def{Name: "ReduceL2", Since: 1, Wraps: op.WrapsRounded,
	Attrs: reducing,
	Shape: reduceShape(foldAxes), Eval: normFold.eval, Gradient: reduceGradient(foldAxes, normSlope), Interval: normInterval,
	Linear: foldBox(normInterval, func(n float64) (ulps, abs float64) { return n + 2, n * 0x1p-62 },
		"a rounding for each square and each term, and the root's; squares that are flushed to zero are under 2^-126", sumOfSquares),
	Couple: coupleReduce(foldAxes, true)}

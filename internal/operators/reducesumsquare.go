// reducesumsquare.go — ReduceSumSquare, opset 1, 11, 13 (axes as attribute), 18 (axes as input): sums of squares along axes.

package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"math"
)

var squareFold = fold{
	f:       func(acc, x float64) float64 { return acc + x*x },
	whole:   func(acc, x int64) int64 { return acc + x*x },
	natural: func(acc, x uint64) uint64 { return acc + x*x },
}

var reduceSumSquareOp = op.Def{Name: "ReduceSumSquare", Since: 1, Wraps: op.WrapsExact,
	Attrs: reducing,
	Shape: reduceShape(foldAxes), Eval: squareFold.eval,
	Gradient: reduceGradient(foldAxes, squareSlope),
	Interval: foldInterval(sumBounds(squareBounds)),
	Linear: foldLines(relax.CurveLines(squareCurve, relax.Convex), squaresError,
		"a rounding for each square and each term, all of one sign"), Couple: coupleReduce(foldAxes, true)}

// squaresError counts the roundings of a sum of squares, and what underflows.
func squaresError(n float64) (ulps, abs float64) { return n + 1, n * 0x1p-125 }

// sumOfSquares is what an execution of a norm reaches before the root.
func sumOfSquares(mags []float64) float64 {
	sum := 0.0
	for _, m := range mags {
		sum += m * m
	}
	return sum
}

// normBounds is the root of a sum of squares.
func normBounds(l, u []float64) (lo, hi float64) {
	a, b := sumBounds(squareBounds)(l, u)
	lo, _ = sqrtBounds(max(a, 0))
	_, hi = sqrtBounds(b)
	if math.IsInf(b, 1) {
		hi = b
	}
	return lo, hi
}

// reducel1.go — ReduceL1, opset 1, 11, 13 (axes as attribute), 18 (axes as input): sums of absolute values along axes.

package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
)

var absFold = fold{
	f:       func(acc, x float64) float64 { return acc + math.Abs(x) },
	whole:   func(acc, x int64) int64 { return acc + max(x, -x) },
	natural: func(acc, x uint64) uint64 { return acc + x },
}

var reduceL1Op = op.Def{Name: "ReduceL1", Since: 1, Wraps: op.WrapsExact,
	Attrs: reducing,
	Shape: reduceShape(foldAxes), Eval: absFold.eval,
	Gradient: reduceGradient(foldAxes, signSlope),
	Interval: foldInterval(sumBounds(func(l, u float64) (float64, float64) { return relax.KinkBounds(l, u, -1, 1) })),
	Linear:   foldLines(absLines, func(n float64) (ulps, abs float64) { return n, n * sound.Flush }, "a rounding for each term, all of one sign"),
	Couple:   coupleReduce(18, true)}

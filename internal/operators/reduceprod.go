// reduceprod.go — ReduceProd, opset 1, 11, 13 (axes as attribute), 18 (axes as input): products along axes.

package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
)

var productFold = fold{start: 1,
	f:       func(acc, x float64) float64 { return acc * x },
	whole:   func(acc, x int64) int64 { return acc * x },
	natural: func(acc, x uint64) uint64 { return acc * x },
}
var productInterval = foldInterval(productBounds)

var reduceProdOp = op.Def{Name: "ReduceProd", Since: 1, Wraps: op.WrapsExact,
	Attrs: reducing,
	Shape: reduceShape(foldAxes), Eval: productFold.eval, Gradient: reduceGradient(foldAxes, productSlope), Interval: productInterval,
	Linear: foldBox(productInterval, func(n float64) (ulps, abs float64) { return n, n * 0x1p-24 },
		"a rounding for each factor; what is flushed on the way is under 2^-126 and grows to 2^-26 at most (see productBounds)", nil),
	Couple: coupleReduce(foldAxes, false)}

// productLimit is how large the product of the factors over 1 may be. An execution's partial products then do not overflow, and one
// that is flushed to zero is off by less than 2^-126 times it.
const productLimit = 0x1p100

// productBounds multiplies intervals; beyond productLimit nothing is known.
func productBounds(l, u []float64) (lo, hi float64) {
	lo, hi = 1, 1
	size := 1.0
	for i := range l {
		lo, hi = relax.MulBounds(lo, hi, l[i], u[i])
		size = sound.MulUp(size, max(1, -l[i], u[i]))
	}
	if !(size <= productLimit) {
		return math.Inf(-1), math.Inf(1)
	}
	return lo, hi
}

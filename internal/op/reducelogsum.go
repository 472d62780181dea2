// reducelogsum.go — ReduceLogSum, opset 1, 11, 13 (axes as attribute), 18 (axes as input): logarithms of sums along axes.

package op

import "math"

func init() {
	logSum := fold{f: func(acc, x float64) float64 { return acc + x }, finish: math.Log}
	interval := foldInterval(logSumBounds)
	Register(Def{Name: "ReduceLogSum", Since: 1, Shape: reduceShape(foldAxes), Eval: logSum.eval, Gradient: reduceGradient(foldAxes, logSumSlope), Interval: interval,
		Linear: foldBox(interval, func(n float64) (ulps, abs float64) { return 4, n * 0x1p-22 },
			"a rounding for each term, all of one sign, and the logarithm's"), Couple: coupleReduce(foldAxes, false)})
}

// logSumBounds knows nothing of boxes that reach below 0: where terms cancel, an execution may be off by anything.
func logSumBounds(l, u []float64) (lo, hi float64) {
	a, b := 0.0, 0.0
	for i := range l {
		if !(l[i] >= 0) {
			return math.Inf(-1), math.Inf(1)
		}
		a, b = addDown(a, l[i]), addUp(b, u[i])
	}
	return logRange(a, b)
}

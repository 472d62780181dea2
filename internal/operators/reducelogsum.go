// reducelogsum.go — ReduceLogSum, opset 1, 11, 13 (axes as attribute), 18 (axes as input): logarithms of sums along axes.

package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

var logSumFold = fold{f: func(acc, x float64) float64 { return acc + x }, finish: math.Log}
var logSumInterval = foldInterval(logSumBounds)

var reduceLogSumOp = op.Def{Name: "ReduceLogSum", Since: 1, Wraps: op.WrapsRounded,
	Attrs: reducing,
	Shape: reduceShape(foldAxes), Eval: logSumFold.eval, Gradient: reduceGradient(foldAxes, logSumSlope), Interval: logSumInterval,
	Linear: logSumLinear(logSumInterval), Couple: coupleReduce(foldAxes, false)}

// logSumLinear knows only the box. Nothing is known of executions whose sum leaves the normal numbers of float32.
func logSumLinear(interval func(*onnxio.Node, []relax.Box) ([]relax.Box, error)) func(*onnxio.Node) (*op.Linear, error) {
	return func(n *onnxio.Node) (*op.Linear, error) {
		r, err := staticReduction(n, foldAxes, "Linear")
		if err != nil {
			return nil, err
		}
		start, index := r.rows()
		count := float64(r.count)
		e := op.Within(4, count*0x1p-22, "a rounding for each term, all of one sign, and the logarithm's")
		return boxForms(interval, e.Depending(func(in []relax.Box, err []float64) {
			for i := range err {
				least, most := 0.0, 0.0
				for _, j := range index[start[i]:start[i+1]] {
					least, most = least+max(0, in[0].Lower[j]), most+in[0].Magnitude(int(j))
				}
				if !(least > 0x1p-100*(count+1)) {
					most = math.Inf(1)
				}
				err[i] += sound.Fits32(most*(1+sound.Gamma32(r.count+4)), 0)
			}
		}))(n)
	}
}

// logSumBounds knows nothing of boxes that reach below 0: where terms cancel, an execution may be off by anything.
func logSumBounds(l, u []float64) (lo, hi float64) {
	a, b := 0.0, 0.0
	for i := range l {
		if !(l[i] >= 0) {
			return math.Inf(-1), math.Inf(1)
		}
		a, b = sound.AddDown(a, l[i]), sound.AddUp(b, u[i])
	}
	return logRange(a, b)
}

// reducelogsumexp.go — ReduceLogSumExp, opset 1, 11, 13 (axes as attribute), 18 (axes as input): ln of sums of exp(x) along axes.

package operators

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/sound"
)

var logSumExpInterval = foldInterval(logSumExpBounds)

var reduceLogSumExpOp = op.Def{Name: "ReduceLogSumExp", Since: 1, Wraps: op.WrapsRounded,
	Attrs: reducing,
	Shape: reduceShape(foldAxes), Eval: logSumExpEval, Gradient: reduceGradient(foldAxes, logSumExpSlope), Interval: logSumExpInterval,
	Linear: foldBox(logSumExpInterval, func(n float64) (ulps, abs float64) { return 2, (2*n + 16 + 8*math.Log(n+1)) * 0x1p-23 },
		"error analysis of the form that is shifted by the maximum, as for Softmax", sumOfExps), Couple: coupleReduce(foldAxes, false)}

// sumOfExps is what an execution reaches that does not shift.
func sumOfExps(mags []float64) float64 {
	sum := 0.0
	for _, m := range mags {
		sum += math.Exp(m)
	}
	return sum
}

func logSumExpEval(c *op.Call) error {
	r, err := reductionState(c, foldAxes)
	if err != nil {
		return err
	}
	switch x := c.In[0].Data.(type) {
	case []float32:
		return logSumExp(c, r, x)
	case []float64:
		return logSumExp(c, r, x)
	case []int64:
		return logSumExp(c, r, x)
	case []int32:
		return logSumExp(c, r, x)
	case []uint64:
		return logSumExp(c, r, x)
	case []uint32:
		return logSumExp(c, r, x)
	}
	return unsupportedType(c, "no reduction of type %v", c.In[0].DType)
}

// logSumExp shifts by the largest element, so that nothing overflows.
func logSumExp[T numeric](c *op.Call, r *reduction, x []T) error {
	y, ok := c.Out[0].Data.([]T)
	if !ok {
		return fmt.Errorf("cannot reduce %T to %T", x, c.Out[0].Data)
	}
	scratch := c.Work.Float64(2 * len(y))
	tops, sums := scratch[:len(y)], scratch[len(y):]
	foldInto(r, tops, x, math.Inf(-1), func(a float64, v T) float64 { return max(a, float64(v)) })
	clear(sums)
	if len(x) > 0 && len(y) > 0 {
		walkShifted(sums, tops, x, r.dims, 0, 0)
	}
	for i, s := range sums {
		if math.IsInf(tops[i], 0) {
			y[i] = T(tops[i])
		} else {
			y[i] = T(tops[i] + math.Log(s))
		}
	}
	return nil
}

// walkShifted adds exp(x - top) to the sums along the dimensions of a reduction.
func walkShifted[T numeric](sums, tops []float64, x []T, dims []moveDim, d0, s0 int) {
	d := dims[0]
	if len(dims) > 1 {
		for range d.n {
			walkShifted(sums, tops, x, dims[1:], d0, s0)
			d0 += d.dst
			s0 += d.src
		}
		return
	}
	for _, v := range x[s0 : s0+d.n] {
		sums[d0] += math.Exp(float64(v) - tops[d0])
		d0 += d.dst
	}
}

// logSumExpBounds: the function rises in every element.
func logSumExpBounds(l, u []float64) (lo, hi float64) {
	lo, _ = logSumExpAt(l)
	_, hi = logSumExpAt(u)
	return lo, hi
}

// logSumExpAt brackets the function at a point, shifted by the maximum.
func logSumExpAt(x []float64) (lo, hi float64) {
	top := math.Inf(-1)
	for _, v := range x {
		top = max(top, v)
	}
	if math.IsInf(top, 0) {
		return top, top
	}
	var a, b float64
	for _, v := range x {
		p, _ := expBounds(sound.AddDown(v, -top))
		_, q := expBounds(min(sound.AddUp(v, -top), 0))
		a, b = sound.AddDown(a, p), sound.AddUp(b, q)
	}
	p, _ := logBounds(a)
	_, q := logBounds(b)
	return sound.AddDown(top, p), sound.AddUp(top, q)
}

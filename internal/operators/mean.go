// mean.go — Mean, opset 6, 8 (broadcasting), 13: the mean of any number of inputs.

package operators

import (
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

var meanOp = op.Def{Name: "Mean", Since: 6, Wraps: op.WrapsRounded,
	Zero: op.ZeroSummed, AnyOrder: true, Shape: broadcastType, Eval: meanEval, Gradient: meanGradient,
	Linear: meanLinear, Couple: coupleElementwise}

var sumForMean = variadicEval(&addition)

func meanEval(c *op.Call) error {
	if err := sumForMean(c); err != nil {
		return err
	}
	n := len(c.In)
	switch y := c.Out[0].Data.(type) {
	case []float32:
		for i := range y {
			y[i] /= float32(n)
		}
	case []float64:
		for i := range y {
			y[i] /= float64(n)
		}
	default:
		return unsupportedType(c, "no mean of type %v", c.Out[0].DType)
	}
	return nil
}

// meanLinear weighs all variables and the sum of all constants with 1/n, as rounded.
func meanLinear(n *onnxio.Node) (*op.Linear, error) {
	shape, err := broadcastInputs(n)
	if err != nil {
		return nil, err
	}
	k := len(n.Inputs)
	l := &op.Linear{Maps: make([]affine.Map, k), Execution: op.Sums(1, float64(k), "one rounding for the division or the rounded reciprocal")}
	var lo, hi, mags []float64 // of the constants' sum; the sum of their magnitudes
	for i, v := range n.Inputs {
		if v.Const == nil {
			l.Maps[i] = broadcastMap(v.Shape, shape, 1/float64(k))
			continue
		}
		f, err := v.Const.Float64s()
		if err != nil {
			return nil, err
		}
		f = broadcastTo(f, v.Const.Shape, shape)
		if mags == nil {
			mags = make([]float64, len(f))
		}
		for j, c := range f {
			mags[j] += math.Abs(c)
		}
		if lo == nil {
			lo, hi = slices.Clone(f), slices.Clone(f)
			continue
		}
		for j, c := range f {
			lo[j], hi[j] = sound.AddDown(lo[j], c), sound.AddUp(hi[j], c)
		}
	}
	if k&(k-1) != 0 {
		l.RelErr = sound.Unit
	}
	if lo != nil {
		l.Bias, l.BiasErr = make([]float64, len(lo)), make([]float64, len(lo))
		for j := range lo {
			a, b := sound.Down(lo[j]/float64(k)), sound.Up(hi[j]/float64(k))
			l.Bias[j] = a + (b-a)/2
			l.BiasErr[j] = max(sound.AddUp(b, -l.Bias[j]), sound.AddUp(l.Bias[j], -a))
		}
		l.Execution = l.Execution.Depending(constantsError(mags, k+3, float64(k)))
	}
	return l, nil
}

// meanGradient: dy over the number of inputs, for each of them.
func meanGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	return sumGradient()(e, n, []*onnxio.Value{e.MulC(dy[0], 1/float64(len(n.Inputs)))})
}

package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

// sumLinear is the Linear face of y = sum_k sign_k * x_k with broadcasting (signs default to 1).
func sumLinear(n *onnxio.Node, signs ...float64) (*op.Linear, error) {
	shape, err := broadcastInputs(n)
	if err != nil {
		return nil, err
	}
	l := &op.Linear{Maps: make([]affine.Map, len(n.Inputs)), Execution: op.Sums(0, 1, "sums in any order")}
	var mags []float64 // of the constants
	constants := 0
	for k, v := range n.Inputs {
		sign := 1.0
		if k < len(signs) {
			sign = signs[k]
		}
		if v.Const == nil {
			l.Maps[k] = broadcastMap(v.Shape, shape, sign)
			continue
		}
		c, err := v.Const.Float64s()
		if err != nil {
			return nil, err
		}
		if constants++; constants == 1 {
			l.Bias, mags = make([]float64, product(shape)), make([]float64, product(shape))
		}
		for i, b := range broadcastTo(c, v.Const.Shape, shape) {
			l.Bias[i] += sign * b
			mags[i] += math.Abs(b)
		}
	}
	if constants > 2 {
		return nil, op.Unsupported(n, "Linear", "a sum of several constants; fold them first")
	}
	if constants == 2 { // one addition of constants rounds
		l.BiasErr = make([]float64, len(l.Bias))
		for i, b := range l.Bias {
			l.BiasErr[i] = sound.MulUp(max(b, -b), sound.Unit)
		}
		l.Execution = l.Execution.Depending(constantsError(mags, len(n.Inputs)+1, 1))
	}
	return l, nil
}

// constantsError is what the rounding of a sum owes to constants that are one bias to the map, where they may cancel: executions add them
// one by one. mags are the sums of the constants' magnitudes, divided by divisor in the end.
func constantsError(mags []float64, roundings int, divisor float64) func(in []relax.Box, err []float64) {
	return func(_ []relax.Box, err []float64) {
		for i := range err {
			err[i] += sound.Fits32(mags[i]*(1+sound.Gamma32(roundings)), sound.Gamma32(roundings)*mags[i]/divisor)
		}
	}
}

// broadcastMap is y = c * x spread from one shape to another, for c = 1 or -1.
func broadcastMap(from, to []int, c float64) affine.Map {
	index := broadcastIndex(from, to)
	switch {
	case index == nil && c == 1:
		return &affine.Identity{N: product(to)}
	case index == nil:
		return constDiag(product(to), c)
	}
	m := affine.Pick(product(from), index)
	if c != 1 {
		m.Coef = make([]float64, len(index))
		for i := range m.Coef {
			m.Coef[i] = c
		}
	}
	return m
}

// scaleMap is y[i] = c[i] * x[i] with x spread to the shape of c.
func scaleMap(from, to []int, c []float64) affine.Map {
	index := broadcastIndex(from, to)
	if index == nil {
		return &affine.Diag{D: append([]float64(nil), c...)}
	}
	m := affine.Pick(product(from), index)
	m.Coef = append([]float64(nil), c...)
	return m
}

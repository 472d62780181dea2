// batchnorm.go — BatchNormalization, opset 7, 9, 14, 15, for inference, and of constants in training: y = scale*(x - mean)/sqrt(var + epsilon) + B.

package operators

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

var batchNormalizationOp = op.Def{Name: "BatchNormalization", Since: 7,
	Attrs: op.Attributes{"epsilon": op.AnyValue, "momentum": op.AnyValue, "spatial": op.Boolean, "training_mode": op.Boolean},
	Shape: batchnormShape, Eval: batchnormEval, Fast: batchnormFast, Gradient: batchnormGradient, Linear: batchnormLinear, Couple: coupleBatchnorm}

// batchnormAxes sees x as rows of area elements, of which row r belongs to channel r%channels. A vector has one channel.
func batchnormAxes(x []int) (channels, area int) {
	if len(x) < 2 {
		return 1, product(x)
	}
	return x[1], product(x[2:])
}

func batchnormShape(n *onnxio.Node) ([]op.Type, error) {
	if err := needInputs(n, 5, 5); err != nil {
		return nil, err
	}
	if n.Attrs.Int("training_mode", 0) != 0 && n.ConstInput(0) == nil { // weights that are standardised when they are used are exported so
		return nil, op.Unsupported(n, "", "training_mode is set; export the model for inference")
	}
	if n.Opset < 9 && n.Attrs.Int("spatial", 1) == 0 {
		return nil, op.Unsupported(n, "", "spatial 0: statistics per element")
	}
	training := n.Attrs.Int("training_mode", 0) != 0
	for _, o := range n.Outputs[min(1, len(n.Outputs)):] {
		if o != nil && !training {
			return nil, op.Unsupported(n, "", "statistics are read; inference computes only the first output")
		}
	}
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	channels, _ := batchnormAxes(x)
	for i := 1; i < 5; i++ {
		s, err := shapeOf(n, i)
		if err != nil {
			return nil, err
		}
		if len(s) != 1 || s[0] != channels {
			return nil, &onnxio.ShapeError{What: fmt.Sprintf("input %d", i), Want: []int{channels}, Got: s}
		}
	}
	types := []op.Type{{DType: n.Input(0).DType, Shape: x}}
	if training { // the statistics that go on from those of the inputs
		types = append(types, op.Type{DType: n.Input(3).DType, Shape: []int{channels}}, op.Type{DType: n.Input(4).DType, Shape: []int{channels}})
	}
	return types, nil
}

func batchnormEval(c *op.Call) error {
	switch x := c.In[0].Data.(type) {
	case []float32:
		return batchnormRun(c, x)
	case []float64:
		return batchnormRun(c, x)
	}
	return unsupportedType(c, "input of type %v where a float is needed", c.In[0].DType)
}

// batchnormRun computes scale and shift of every channel in float64 and rounds them once.
func batchnormRun[T float32 | float64](c *op.Call, x []T) error {
	var p [4][]T
	channels, area := batchnormAxes(c.In[0].Shape)
	for i := range p {
		var ok bool
		if p[i], ok = c.In[i+1].Data.([]T); !ok || len(p[i]) != channels {
			return fmt.Errorf("input %d of type %v and shape %v", i+1, c.In[i+1].DType, c.In[i+1].Shape)
		}
	}
	y, ok := c.Out[0].Data.([]T)
	if !ok || len(y) != len(x) {
		return unsupportedType(c, "output of type %v", c.Out[0].DType)
	}
	eps := float64(c.Node.Attrs.Float("epsilon", 1e-5))
	if c.Node.Attrs.Int("training_mode", 0) != 0 {
		mean, variance := batchStatistics(x, channels, area)
		keep := float64(c.Node.Attrs.Float("momentum", 0.9))
		for i, now := range [][]T{mean, variance} {
			if i+1 >= len(c.Out) || c.Out[i+1] == nil {
				continue
			}
			out, ok := c.Out[i+1].Data.([]T)
			if !ok || len(out) != channels {
				return unsupportedType(c, "output of type %v", c.Out[i+1].DType)
			}
			for ch := range out {
				out[ch] = T(float64(p[2+i][ch])*keep + float64(now[ch])*(1-keep))
			}
		}
		p[2], p[3] = mean, variance
	}
	for i, ch := 0, 0; area > 0 && i < len(x); i += area {
		a := float64(p[0][ch]) / math.Sqrt(float64(p[3][ch])+eps)
		k, b := T(a), T(float64(p[1][ch])-float64(p[2][ch])*a)
		out := y[i : i+area]
		for j, v := range x[i : i+area] {
			out[j] = v*k + b
		}
		if ch++; ch == channels {
			ch = 0
		}
	}
	return nil
}

// batchStatistics are the mean and the variance of every channel.
func batchStatistics[T float32 | float64](x []T, channels, area int) (mean, variance []T) {
	sum, count := make([]float64, channels), float64(max(1, len(x)/max(1, channels)))
	over := func(f func(v float64, ch int) float64) []T {
		clear(sum)
		for i, v := range x {
			sum[i/area%channels] += f(float64(v), i/area%channels)
		}
		out := make([]T, channels)
		for ch, s := range sum {
			out[ch] = T(s / count)
		}
		return out
	}
	mean = over(func(v float64, _ int) float64 { return v })
	return mean, over(func(v float64, ch int) float64 { return (v - float64(mean[ch])) * (v - float64(mean[ch])) })
}

// batchnormLinear gives k = scale/sqrt(var+epsilon) and the bias B - mean*k.
//
// In float64 (u = 2^-53) k has a rounded sum (half of which the root keeps), root and quotient: 2.5u and less than 3u with their
// products. mean*k is then off by less than 4u, and the difference by u of itself, so BiasErr is 4u|mean*k| + u|bias| with
// some room; 0 where nothing is subtracted.
//
// Float32 executions (u = 2^-24) compute k with at most 3.5u and then either x*k + (B - mean*k) or (x - mean)*k + B, in these or other
// orders: at most 7u(|x*k| + |mean*k| + |B|), which may be far more than what the sum's own rounding gives where mean*k and B cancel. 16u of
// it are taken. Nothing is known where one of the formula's intermediates may leave float32's range.
func batchnormLinear(n *onnxio.Node) (*op.Linear, error) {
	if _, err := batchnormShape(n); err != nil {
		return nil, err
	}
	var p [4][]float64
	for i := range p {
		if n.ConstInput(i+1) == nil {
			return nil, op.Unsupported(n, "Linear", fmt.Sprintf("input %d (%s) is not constant", i+1, n.Inputs[i+1].Name))
		}
		var err error
		if p[i], err = weights(n, i+1); err != nil {
			return nil, err
		}
	}
	const u, u32 = sound.Unit, sound.Unit32
	eps := float64(n.Attrs.Float("epsilon", 1e-5))
	x := n.Input(0).Shape
	size := product(x)
	channels, area := batchnormAxes(x)
	d := make([]float64, size)
	l := &op.Linear{
		Maps: make([]affine.Map, 5), Bias: make([]float64, size), BiasErr: make([]float64, size), RelErr: 3 * u,
	}
	parts := make([][4]float64, channels) // |k|, |mean*k| + |B|, |mean|, and the largest factor that an execution may apply first
	l.Maps[0] = &affine.Diag{D: d}
	for i := range d {
		ch := i / area % channels
		k := p[0][ch] / math.Sqrt(p[3][ch]+eps)
		if !sound.Finite(k) {
			return nil, op.Unsupported(n, "Linear", fmt.Sprintf("channel %d has a variance of %v", ch, p[3][ch]))
		}
		mk := p[2][ch] * k
		d[i], l.Bias[i] = k, p[1][ch]-mk
		if mk != 0 {
			l.BiasErr[i] = 5*u*math.Abs(mk) + 2*u*math.Abs(l.Bias[i]) + 0x1p-1070
		}
		inverse := 1 / math.Sqrt(p[3][ch]+eps)
		parts[ch] = [4]float64{math.Abs(k), math.Abs(mk) + math.Abs(p[1][ch]), math.Abs(p[2][ch]), max(1, inverse, math.Abs(p[0][ch]), math.Abs(k))}
	}
	l.Execution = op.Sums(0, 1, "any order of the formula's operations, each rounded once").Depending(func(in []relax.Box, err []float64) {
		for i := range err {
			c := parts[i/area%channels]
			x := in[0].Magnitude(i)
			sum := x*c[0] + c[1]
			// What float32 may lose below its normal numbers: in k and its factors, in what enters, and in every product.
			low := 8 * sound.Flush * (1 + c[3]) * (1 + x + c[2])
			err[i] += sound.Fits32(max(sum, c[3]*(x+c[2])), 16*u32*sum+low)
		}
	})
	return l, nil
}

// BatchNormScale gives y = scale*x + shift per channel of a node with constant statistics.
func BatchNormScale(n *onnxio.Node) (scale, shift []float64, err error) {
	var p [4][]float64
	for i := range p {
		if n.ConstInput(i+1) == nil {
			return nil, nil, fmt.Errorf("input %d is not constant", i+1)
		}
		if p[i], err = n.ConstInput(i + 1).Float64s(); err != nil {
			return nil, nil, err
		}
	}
	eps := float64(n.Attrs.Float("epsilon", 1e-5))
	scale, shift = make([]float64, len(p[0])), make([]float64, len(p[0]))
	for i := range scale {
		scale[i] = p[0][i] / math.Sqrt(p[3][i]+eps)
		shift[i] = p[1][i] - p[2][i]*scale[i]
	}
	return scale, shift, nil
}

// batchnormGradient: dy*scale/sqrt(var+epsilon). Scale, mean and variance must be constant.
func batchnormGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	x := n.Inputs[0]
	for i := 1; i < 5; i++ {
		if e.Wants(n, i) {
			return e.Refuse(n, "the statistics depend on the model's input")
		}
	}
	k := e.Mul(n.Inputs[1], e.InverseRoot(e.AddC(n.Inputs[4], epsilonOf(n))))
	shape := make([]int, max(1, len(x.Shape)-1))
	for i := range shape {
		shape[i] = 1
	}
	shape[0] = product(k.Shape)
	if len(x.Shape) == 1 {
		shape = []int{1}
	}
	return onlyFirst(e.Mul(dy[0], e.Reshape(k, shape...)))
}

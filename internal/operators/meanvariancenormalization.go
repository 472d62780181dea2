// meanvariancenormalization.go — MeanVarianceNormalization, opset 9, 13: (x - mean) / (deviation + 1e-9), both taken over the named axes.

package operators

import (
	"fmt"
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var meanVarianceNormalizationOp = op.Def{Name: "MeanVarianceNormalization", Since: 9,
	Attrs: op.Attributes{"axes": op.AnyValue},
	Shape: meanVarianceShape, Eval: meanVarianceEval,
	Gradient: meanVarianceGradient,
	Interval: standardInterval(meanVarianceOf), Linear: standardLinear(meanVarianceOf)}

// meanVarianceRoom is what the standard's function adds to the deviation, a float32.
const meanVarianceRoom = float32(1e-9)

// runsAlong lists the elements of a tensor run by run: those of a run differ in the marked axes only.
func runsAlong(shape []int, mask []bool) (index []int32, size int) {
	size = 1
	outer := make([]int, len(shape)) // steps of the number of the run
	runs := 1
	for d := len(shape) - 1; d >= 0; d-- {
		if mask[d] {
			size *= shape[d]
		} else {
			outer[d] = runs
			runs *= shape[d]
		}
	}
	index = make([]int32, product(shape))
	fill := make([]int, runs)
	eachPlace(shape, func(i int, at []int) {
		r := 0
		for d, p := range at {
			r += p * outer[d]
		}
		index[r*size+fill[r]] = int32(i)
		fill[r]++
	})
	return index, size
}

func meanVarianceMask(n *onnxio.Node, rank int) ([]bool, error) {
	axes := []int{0, 2, 3}
	if n.Attrs.Has("axes") {
		axes = n.Attrs.Ints("axes")
	}
	return axisMask(axes, rank)
}

func meanVarianceOf(n *onnxio.Node) (*standard, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	mask, err := meanVarianceMask(n, len(x))
	if err != nil {
		return nil, err
	}
	g := &standard{total: product(x), delta: float64(meanVarianceRoom)}
	g.index, g.size = runsAlong(x, mask)
	return g, nil
}

func meanVarianceShape(n *onnxio.Node) ([]op.Type, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	if _, err := meanVarianceMask(n, len(x)); err != nil {
		return nil, err
	}
	return sameShape(n)
}

// meanVarianceState keeps the runs of one input shape.
type meanVarianceState struct {
	index []int32
	size  int
	shape []int
}

func meanVarianceEval(c *op.Call) error {
	s, _ := c.State.(*meanVarianceState)
	if s == nil || !slices.Equal(s.shape, c.In[0].Shape) {
		mask, err := meanVarianceMask(c.Node, len(c.In[0].Shape))
		if err != nil {
			return err
		}
		s = &meanVarianceState{shape: slices.Clone(c.In[0].Shape)}
		s.index, s.size = runsAlong(s.shape, mask)
		c.State = s
	}
	switch x := c.In[0].Data.(type) {
	case []float32:
		return meanVariance(s, c.Out[0].F32(), x)
	case []float64:
		return meanVariance(s, c.Out[0].F64(), x)
	}
	return unsupportedType(c, "input of type %v where a float is needed", c.In[0].DType)
}

func meanVariance[T float32 | float64](s *meanVarianceState, y, x []T) error {
	if len(y) != len(x) {
		return fmt.Errorf("input and output differ in type")
	}
	for at := 0; at < len(x); at += s.size {
		run := s.index[at : at+s.size]
		sum := 0.0
		for _, i := range run {
			sum += float64(x[i])
		}
		mean := sum / float64(s.size)
		sum = 0
		for _, i := range run {
			d := float64(x[i]) - mean
			sum += d * d
		}
		deviation := math.Sqrt(sum/float64(s.size)) + float64(meanVarianceRoom)
		for _, i := range run {
			y[i] = T((float64(x[i]) - mean) / deviation)
		}
	}
	return nil
}

// meanVarianceGradient goes through the standardisation over the axes.
func meanVarianceGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	x := n.Inputs[0]
	mask, err := meanVarianceMask(n, len(x.Shape))
	if err != nil {
		e.Fail(err)
		return nil
	}
	var axes []int
	for i, m := range mask {
		if m {
			axes = append(axes, i)
		}
	}
	return onlyFirst(standardised(e, x, dy[0], 1e-18, axes))
}

// layernormalization.go — LayerNormalization, opset 17: every run of the last axes brought to mean 0 and deviation 1, then scaled.
// Source: Ba, Kiros and Hinton 2016, "Layer Normalization".

package operators

import (
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var layerNormalizationOp = op.Def{Name: "LayerNormalization", Since: 17, FeaturesLast: true,
	Attrs: op.Attributes{"axis": op.AnyValue, "epsilon": op.AnyValue, "stash_type": stashed},
	Shape: layerNormShape, Eval: layerNormEval, Gradient: layerNormGradient,
	Interval: standardInterval(layerNormOf), Linear: standardLinear(layerNormOf), Couple: coupleFromAxis}

// layerNormSizes are the elements of one run and the shape of what runs have one of.
func layerNormSizes(n *onnxio.Node, x []int) (size int, stats []int, err error) {
	axis, err := normalAxis(n.Attrs.Int("axis", -1), len(x))
	if err != nil {
		return 0, nil, err
	}
	stats = slices.Clone(x)
	for i := axis; i < len(x); i++ {
		stats[i] = 1
	}
	return product(x[axis:]), stats, nil
}

func layerNormShape(n *onnxio.Node) ([]op.Type, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	size, stats, err := layerNormSizes(n, x)
	if err != nil {
		return nil, err
	}
	for i := 1; i < 3; i++ {
		if v := n.Input(i); v != nil && (product(v.Shape) != size || v.DType != n.Inputs[0].DType) {
			return nil, &onnxio.ShapeError{What: fmt.Sprintf("input %d", i), Want: x[len(x)-1:], Got: v.Shape}
		}
	}
	if n.Input(1) == nil {
		return nil, fmt.Errorf("input 1 (scale) is missing")
	}
	return []op.Type{{DType: n.Inputs[0].DType, Shape: x}, {DType: n.Inputs[0].DType, Shape: stats}, {DType: n.Inputs[0].DType, Shape: stats}}, nil
}

// layerNormOf reads a node for bounds.
func layerNormOf(n *onnxio.Node) (*standard, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	size, _, err := layerNormSizes(n, x)
	if err != nil {
		return nil, err
	}
	g := &standard{size: size, total: product(x), epsilon: epsilonOf(n), scale: func(i int) int { return i % size }}
	if n.Input(2) != nil {
		g.bias = g.scale
	}
	return g, nil
}

func layerNormEval(c *op.Call) error {
	switch x := c.In[0].Data.(type) {
	case []float32:
		return layerNorm(c, x)
	case []float64:
		return layerNorm(c, x)
	}
	return unsupportedType(c, "input of type %v where a float is needed", c.In[0].DType)
}

func layerNorm[T float32 | float64](c *op.Call, x []T) error {
	axis, err := normalAxis(c.Node.Attrs.Int("axis", -1), len(c.In[0].Shape))
	if err != nil {
		return err
	}
	scale, bias, err := scaleAndShift[T](c)
	if err != nil {
		return err
	}
	y, ok := c.Out[0].Data.([]T)
	if !ok {
		return unsupportedType(c, "output of type %v", c.Out[0].DType)
	}
	var mean, inverse []T
	if len(c.Out) > 1 && c.Out[1] != nil {
		mean, _ = c.Out[1].Data.([]T)
	}
	if len(c.Out) > 2 && c.Out[2] != nil {
		inverse, _ = c.Out[2].Data.([]T)
	}
	standardise(y, x, product(c.In[0].Shape[axis:]), epsilonOf(c.Node), mean, inverse)
	if len(y) == 0 {
		return nil
	}
	return scaleGroups(y, scale, bias, 1)
}

// instancenormalization.go — InstanceNormalization, opset 6, 22, and GroupNormalization, opset 18 (scale by group), 21 (by channel): every
// channel, or group of channels, of an image brought to mean 0 and deviation 1, then scaled.
// Source: Ulyanov, Vedaldi and Lempitsky 2016; Wu and He 2018.

package operators

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var instanceNormalizationOp = op.Def{Name: "InstanceNormalization", Since: 6,
	Attrs: op.Attributes{"epsilon": op.AnyValue},
	Shape: groupNormShape, Eval: groupNormEval, Gradient: groupNormGradient,
	Interval: standardInterval(groupNormOf), Linear: standardLinear(groupNormOf), Couple: coupleGroupNorm, Adapt: adaptGroupNorm}

var groupNormalizationOp = op.Def{Name: "GroupNormalization", Since: 18,
	Attrs: op.Attributes{"epsilon": op.AnyValue, "num_groups": op.AnyValue, "stash_type": stashed},
	Shape: groupNormShape, Eval: groupNormEval, Gradient: groupNormGradient,
	Interval: standardInterval(groupNormOf), Linear: standardLinear(groupNormOf), Couple: coupleGroupNorm, Adapt: adaptGroupNorm}

// groupNormForm gives the number of groups, of scales, and the elements that share one scale.
func groupNormForm(n *onnxio.Node, x []int) (groups, scales, inner int, err error) {
	if len(x) < 2 || len(x) < 3 && n.Op == "InstanceNormalization" {
		return 0, 0, 0, fmt.Errorf("an input of shape %v has no image", x)
	}
	channels, area := x[1], product(x[2:])
	groups = channels
	if n.Op == "GroupNormalization" {
		groups = n.Attrs.Int("num_groups", 0)
	}
	if groups < 1 || channels%groups != 0 {
		return 0, 0, 0, fmt.Errorf("%d channels in %d groups", channels, groups)
	}
	scales, inner = channels, area
	if n.Op == "GroupNormalization" && n.Opset < 21 {
		scales, inner = groups, channels/groups*area
	}
	return groups, scales, inner, nil
}

func groupNormShape(n *onnxio.Node) ([]op.Type, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	_, scales, _, err := groupNormForm(n, x)
	if err != nil {
		return nil, err
	}
	for i := 1; i < 3; i++ {
		v := n.Input(i)
		if v == nil || product(v.Shape) != scales || v.DType != n.Inputs[0].DType {
			return nil, fmt.Errorf("input %d must have %d elements of the first input's type", i, scales)
		}
	}
	return []op.Type{{DType: n.Inputs[0].DType, Shape: x}}, nil
}

// groupNormOf reads a node for bounds.
func groupNormOf(n *onnxio.Node) (*standard, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	groups, scales, inner, err := groupNormForm(n, x)
	if err != nil {
		return nil, err
	}
	of := func(i int) int { return i / inner % scales }
	return &standard{size: product(x[1:]) / groups, total: product(x), epsilon: epsilonOf(n), scale: of, bias: of}, nil
}

func groupNormEval(c *op.Call) error {
	switch x := c.In[0].Data.(type) {
	case []float32:
		return groupNorm(c, x)
	case []float64:
		return groupNorm(c, x)
	}
	return unsupportedType(c, "input of type %v where a float is needed", c.In[0].DType)
}

func groupNorm[T float32 | float64](c *op.Call, x []T) error {
	groups, _, inner, err := groupNormForm(c.Node, c.In[0].Shape)
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
	if len(x) == 0 {
		return nil
	}
	standardise(y, x, len(x)/(c.In[0].Shape[0]*groups), epsilonOf(c.Node), nil, nil)
	return scaleGroups(y, scale, bias, inner)
}

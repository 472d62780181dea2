// gatherelements.go — GatherElements, opset 11, 13: y[i][j][k] = x[index[i][j][k]][j][k] along the axis.

package op

import (
	"fmt"

	"github.com/shallow-waters/shoal/onnxio"
)

func init() {
	eval := pickEval(gatherElementsTable)
	Register(Def{Name: "GatherElements", Since: 11,
		Attrs: Attributes{"axis": anyValue},
		Shape: gatherElementsShape, Eval: eval, Gradient: movedGradient(eval), Linear: movedBy(eval, 0)})
}

func gatherElementsShape(n *onnxio.Node) ([]Type, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	index, err := shapeOf(n, 1)
	if err != nil {
		return nil, err
	}
	axis, err := normalAxis(n.Attrs.Int("axis", 0), len(x))
	if err != nil {
		return nil, err
	}
	if len(index) != len(x) {
		return nil, fmt.Errorf("indices of shape %v for an input of shape %v", index, x)
	}
	for d, k := range index {
		if d != axis && k > x[d] {
			return nil, fmt.Errorf("indices of shape %v for an input of shape %v", index, x)
		}
	}
	return []Type{{n.Inputs[0].DType, index}}, nil
}

func gatherElementsTable(c *Call) ([]int32, error) {
	x := c.In[0].Shape
	axis, err := normalAxis(c.Node.Attrs.Int("axis", 0), len(x))
	if err != nil {
		return nil, err
	}
	chosen, err := intsOf(c.In[1])
	if err != nil {
		return nil, err
	}
	src := strides(x)
	index := make([]int32, len(chosen))
	eachPlace(c.In[1].Shape, func(i int, at []int) {
		k, e := normalAxis(chosen[i], x[axis])
		if e != nil && err == nil {
			err = fmt.Errorf("index %d outside a size of %d", chosen[i], x[axis])
		}
		from := k * src[axis]
		for d, p := range at {
			if d != axis {
				from += p * src[d]
			}
		}
		index[i] = int32(from)
	})
	return index, err
}

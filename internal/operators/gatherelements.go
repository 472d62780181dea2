// gatherelements.go — GatherElements, opset 11, 13: y[i][j][k] = x[index[i][j][k]][j][k] along the axis.

package operators

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var gatherElementsEval = pickEval(gatherElementsTable)

var gatherElementsOp = op.Def{Name: "GatherElements", Since: 11,
	Attrs: op.Attributes{"axis": op.AnyValue},
	Shape: gatherElementsShape, Eval: gatherElementsEval, Gradient: gatherElementsGradient,
	Interval: gatherElementsInterval, Linear: gatherElementsLinear}

func gatherElementsShape(n *onnxio.Node) ([]op.Type, error) {
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
	return []op.Type{{DType: n.Inputs[0].DType, Shape: index}}, nil
}

func gatherElementsTable(c *op.Call) ([]int32, error) {
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

// gatherElementsGradient adds dy where its elements came from, also where the places are computed (a sort's).
func gatherElementsGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	if n.ConstInput(1) != nil {
		return movedGradient(gatherElementsEval)(e, n, dy)
	}
	axis, err := normalAxis(n.Attrs.Int("axis", 0), len(n.Inputs[0].Shape))
	if err != nil {
		e.Fail(err)
		return nil
	}
	e.Need(16, "the gradient of GatherElements by places that are computed")
	attrs := onnxio.Attrs{"axis": int64(axis), "reduction": "add"}
	return onlyFirst(e.Op("ScatterElements", attrs, e.Zeros(dy[0], n.Inputs[0].Shape...), n.Inputs[1], dy[0]))
}

// gathernd.go — GatherND, opset 11, 12 (batch_dims), 13: slices of x at places that the last axis of the indices names.

package operators

import (
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var gatherNDEval = pickEval(gatherNDTable)

var gatherNDOp = op.Def{Name: "GatherND", Since: 11,
	Attrs: op.Attributes{"batch_dims": op.AnyValue},
	Shape: gatherNDShape, Eval: gatherNDEval, Gradient: movedGradient(gatherNDEval), Linear: movedBy(gatherNDEval, 0)}

// gatherNDForm checks shapes; depth is how many axes after the batch an index names.
func gatherNDForm(n *onnxio.Node, x, index []int) (batch, depth int, err error) {
	batch = n.Attrs.Int("batch_dims", 0)
	if len(index) == 0 || batch < 0 || batch >= len(index) || batch > len(x) || !slices.Equal(x[:batch], index[:batch]) {
		return 0, 0, fmt.Errorf("indices of shape %v with %d batch axes for an input of shape %v", index, batch, x)
	}
	if depth = index[len(index)-1]; depth > len(x)-batch {
		return 0, 0, fmt.Errorf("indices of shape %v with %d batch axes for an input of shape %v", index, batch, x)
	}
	return batch, depth, nil
}

func gatherNDShape(n *onnxio.Node) ([]op.Type, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	index, err := shapeOf(n, 1)
	if err != nil {
		return nil, err
	}
	batch, depth, err := gatherNDForm(n, x, index)
	if err != nil {
		return nil, err
	}
	out := append(slices.Clone(index[:len(index)-1]), x[batch+depth:]...)
	return []op.Type{{DType: n.Inputs[0].DType, Shape: out}}, checkSizes(out)
}

func gatherNDTable(c *op.Call) ([]int32, error) {
	x, shape := c.In[0].Shape, c.In[1].Shape
	batch, depth, err := gatherNDForm(c.Node, x, shape)
	if err != nil {
		return nil, err
	}
	chosen, err := intsOf(c.In[1])
	if err != nil {
		return nil, err
	}
	src := strides(x)
	run := product(x[batch+depth:])
	each := product(shape[batch : len(shape)-1]) // indices of one batch entry
	step := product(x[batch:])
	index := make([]int32, 0, c.Out[0].Len())
	for i := range product(shape[:len(shape)-1]) {
		from := i / max(each, 1) * step
		for d := range depth {
			k, e := normalAxis(chosen[i*depth+d], x[batch+d])
			if e != nil {
				return nil, fmt.Errorf("index %d outside a size of %d", chosen[i*depth+d], x[batch+d])
			}
			from += k * src[batch+d]
		}
		for j := range run {
			index = append(index, int32(from+j))
		}
	}
	return index, nil
}

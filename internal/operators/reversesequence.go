// reversesequence.go — ReverseSequence, opset 10: the first elements of every sequence of a batch turned round, as many as its length.

package operators

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var reverseSequenceOp = op.Def{Name: "ReverseSequence", Since: 10,
	Attrs: op.Attributes{"batch_axis": op.AnyValue, "time_axis": op.AnyValue},
	Shape: reverseSequenceShape, Eval: reverseSequenceEval, Gradient: reverseSequenceGradient, Linear: movedBy(reverseSequenceEval, 0)}

// sequenceAxes reads which axis counts sequences and which their elements: 0 and 1, in either order.
func sequenceAxes(n *onnxio.Node, x []int) (batch, time int, err error) {
	batch, time = n.Attrs.Int("batch_axis", 1), n.Attrs.Int("time_axis", 0)
	if len(x) < 2 || batch+time != 1 || batch*time != 0 {
		err = fmt.Errorf("batch_axis %d and time_axis %d of an input of shape %v", batch, time, x)
	}
	return batch, time, err
}

func reverseSequenceShape(n *onnxio.Node) ([]op.Type, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	lens, err := shapeOf(n, 1)
	if err != nil {
		return nil, err
	}
	batch, _, err := sequenceAxes(n, x)
	if err != nil {
		return nil, err
	}
	if len(lens) != 1 || lens[0] != x[batch] {
		return nil, fmt.Errorf("lengths of shape %v for %d sequences", lens, x[batch])
	}
	return sameShape(n)
}

var reverseSequenceEval = pickEval(func(c *op.Call) ([]int32, error) {
	x := c.In[0].Shape
	batch, time, err := sequenceAxes(c.Node, x)
	if err != nil {
		return nil, err
	}
	lens, err := intsOf(c.In[1])
	if err != nil {
		return nil, err
	}
	inner := product(x[2:])
	step := [2]int{x[1] * inner, inner}
	index := make([]int32, product(x))
	for i := range index {
		at := [2]int{i / step[0], i / inner % x[1]}
		n := lens[at[batch]]
		if n < 0 || n > x[time] {
			return nil, fmt.Errorf("a sequence of %d of %d elements", n, x[time])
		}
		index[i] = int32(i)
		if t := at[time]; t < n {
			index[i] = int32(i + (n-1-2*t)*step[time])
		}
	}
	return index, nil
})

// reverseSequenceGradient turns dy around in the same way: the operator is its own inverse.
func reverseSequenceGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	return onlyFirst(e.Op("ReverseSequence", n.Attrs, dy[0], n.Inputs[1]))
}

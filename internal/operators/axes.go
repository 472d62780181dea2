package operators

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// normalAxis maps an axis in [-rank, rank) to [0, rank).
func normalAxis(axis, rank int) (int, error) {
	if axis < -rank || axis >= rank {
		return 0, fmt.Errorf("axis %d outside a shape of rank %d", axis, rank)
	}
	if axis < 0 {
		axis += rank
	}
	return axis, nil
}

// axisMask marks the given axes of a shape of the given rank. A double is an error.
func axisMask(axes []int, rank int) ([]bool, error) {
	mask := make([]bool, rank)
	for _, a := range axes {
		a, err := normalAxis(a, rank)
		if err != nil {
			return nil, err
		}
		if mask[a] {
			return nil, fmt.Errorf("axis %d is given twice", a)
		}
		mask[a] = true
	}
	return mask, nil
}

// shapeOf is the static shape of input i.
func shapeOf(n *onnxio.Node, i int) ([]int, error) {
	v := n.Input(i)
	if v == nil {
		return nil, fmt.Errorf("input %d is missing", i)
	}
	if v.Shape == nil {
		return nil, fmt.Errorf("input %d (%s) has no static shape", i, v.Name)
	}
	return v.Shape, nil
}

// intList reads a list of integers that was an attribute before the opset `since` and is input i from there on. Absent
// is nil and no error; an input that is not constant is an error, since shapes would depend on data.
func intList(n *onnxio.Node, name string, i, since int) ([]int, error) {
	if n.Opset < since {
		return n.Attrs.Ints(name), nil
	}
	v := n.Input(i)
	if v == nil {
		return nil, nil
	}
	if v.Const == nil {
		return nil, variableShape(n, i, ", the "+name)
	}
	return intsOf(v.Const)
}

// intsOf is a tensor of integers as a list that is never nil.
func intsOf(t *onnxio.Tensor) ([]int, error) {
	switch d := t.Data.(type) {
	case []int64:
		out := make([]int, len(d))
		for i, v := range d {
			out[i] = int(v)
		}
		return out, nil
	case []int32:
		out := make([]int, len(d))
		for i, v := range d {
			out[i] = int(v)
		}
		return out, nil
	}
	return nil, fmt.Errorf("a tensor of type %v where int64 is needed", t.DType)
}

// evalInts is intList for Eval: the input's data come with the call.
func evalInts(c *op.Call, name string, i, since int) ([]int, error) {
	if c.Node.Opset < since {
		return c.Node.Attrs.Ints(name), nil
	}
	if i >= len(c.In) || c.In[i] == nil {
		return nil, nil
	}
	return intsOf(c.In[i])
}

// strides are the row-major strides of a shape, in elements.
func strides(shape []int) []int {
	s := make([]int, len(shape))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		s[i] = n
		n *= shape[i]
	}
	return s
}

// product multiplies sizes; 1 for none.
func product(shape []int) int { return onnxio.NumElements(shape) }

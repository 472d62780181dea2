// gather.go — Gather, opset 1, 11, 13: slices of x along an axis, chosen by indices.

package operators

import (
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var gatherOp = op.Def{Name: "Gather", Since: 1,
	Attrs: op.Attributes{"axis": op.AnyValue},
	Shape: gatherShape, Eval: gatherEval, Gradient: gatherGradient, Linear: movedBy(gatherEval, 0), Couple: coupleGather, Adapt: adaptGather}

func gatherShape(n *onnxio.Node) ([]op.Type, error) {
	s, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	index, err := shapeOf(n, 1)
	if err != nil {
		return nil, err
	}
	axis, err := normalAxis(n.Attrs.Int("axis", 0), len(s))
	if err != nil {
		return nil, err
	}
	out := append(append(append([]int{}, s[:axis]...), index...), s[axis+1:]...)
	return []op.Type{{DType: n.Inputs[0].DType, Shape: out}}, checkSizes(out)
}

func gatherEval(c *op.Call) error {
	s := c.In[0].Shape
	axis, err := normalAxis(c.Node.Attrs.Int("axis", 0), len(s))
	if err != nil {
		return err
	}
	g := gather{product(s[:axis]), s[axis], product(s[axis+1:])}
	switch index := c.In[1].Data.(type) {
	case []int64:
		return gatherData(g, index, c.Out[0].Data, c.In[0].Data)
	case []int32:
		return gatherData(g, index, c.Out[0].Data, c.In[0].Data)
	}
	return unsupportedType(c, "indices of type %v", c.In[1].DType)
}

// gather sees x as [outer, size, inner].
type gather struct{ outer, size, inner int }

func gatherData[I int32 | int64](g gather, index []I, dst, src any) error {
	for _, j := range index {
		if int(j) < -g.size || int(j) >= g.size {
			return fmt.Errorf("index %d outside a size of %d", j, g.size)
		}
	}
	switch s := src.(type) {
	case []float32:
		return gatherRows(g, index, dst, s)
	case []float64:
		return gatherRows(g, index, dst, s)
	case []int64:
		return gatherRows(g, index, dst, s)
	case []int32:
		return gatherRows(g, index, dst, s)
	case []int16:
		return gatherRows(g, index, dst, s)
	case []int8:
		return gatherRows(g, index, dst, s)
	case []uint64:
		return gatherRows(g, index, dst, s)
	case []uint32:
		return gatherRows(g, index, dst, s)
	case []uint16:
		return gatherRows(g, index, dst, s)
	case []uint8:
		return gatherRows(g, index, dst, s)
	case []bool:
		return gatherRows(g, index, dst, s)
	case []string:
		return gatherRows(g, index, dst, s)
	}
	return fmt.Errorf("cannot gather %T", src)
}

func gatherRows[I int32 | int64, T any](g gather, index []I, dst any, src []T) error {
	d, ok := dst.([]T)
	if !ok {
		return fmt.Errorf("cannot gather %T to %T", src, dst)
	}
	to := 0
	for o := range g.outer {
		for _, j := range index {
			k := int(j)
			if k < 0 {
				k += g.size
			}
			from := (o*g.size + k) * g.inner
			copy(d[to:to+g.inner], src[from:from+g.inner])
			to += g.inner
		}
	}
	return nil
}

// gatherGradient puts slices of dy where they came from: by padding where they are neighbours in order, else by a product with a matrix of
// zeros and ones.
func gatherGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	x := n.Inputs[0].Shape
	if e.Wants(n, 1) || n.ConstInput(1) == nil {
		return e.Refuse(n, "the indices are not constant")
	}
	axis, err := normalAxis(n.Attrs.Int("axis", 0), len(x))
	if err != nil {
		e.Fail(err)
		return nil
	}
	index, err := intsOf(n.ConstInput(1))
	if err != nil {
		e.Fail(err)
		return nil
	}
	row := true
	for i := range index {
		if index[i] < 0 {
			index[i] += x[axis]
		}
		if index[i] < 0 || index[i] >= x[axis] {
			e.Fail(fmt.Errorf("index %d outside a size of %d", index[i], x[axis]))
			return nil
		}
		row = row && index[i] == index[0]+i
	}
	shape := slices.Clone(x)
	shape[axis] = len(index)
	d := e.Reshape(dy[0], shape...)
	switch {
	case len(index) == 0:
		return onlyFirst(e.Zeros(d, x...))
	case row:
		before, after := make([]int, len(x)), make([]int, len(x))
		before[axis], after[axis] = index[0], x[axis]-index[0]-len(index)
		return onlyFirst(e.Pad(d, before, after))
	case x[axis]*len(index) > 1<<22:
		return movedGradient(gatherEval)(e, n, dy)
	}
	m := make([]float64, x[axis]*len(index))
	for k, i := range index {
		m[i*len(index)+k] = 1
	}
	return onlyFirst(e.AlongAxis(d, axis, x[axis], len(index), m))
}

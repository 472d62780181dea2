// gather.go — Gather, opset 1, 11, 13: slices of x along an axis, chosen by indices.

package op

import (
	"fmt"

	"github.com/shallow-waters/shoal/onnxio"
)

func init() {
	Register(Def{Name: "Gather", Since: 1, Shape: gatherShape, Eval: gatherEval, Linear: movedBy(gatherEval, 0)})
}

func gatherShape(n *onnxio.Node) ([]Type, error) {
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
	return []Type{{n.Inputs[0].DType, out}}, checkSizes(out)
}

func gatherEval(c *Call) error {
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
	return fmt.Errorf("indices of type %v", c.In[1].DType)
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

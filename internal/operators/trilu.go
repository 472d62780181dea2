// trilu.go — Trilu, opset 14: the upper or lower triangle of the last two axes, 0 elsewhere.

package operators

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var triluOp = op.Def{Name: "Trilu", Since: 14,
	Attrs: op.Attributes{"upper": op.Boolean},
	Shape: triluShape, Eval: triluEval, Gradient: triluGradient, Linear: movedBy(triluEval, 0)}

func triluShape(n *onnxio.Node) ([]op.Type, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	if len(x) < 2 {
		return nil, fmt.Errorf("an input of shape %v is no matrix", x)
	}
	return sameShape(n)
}

func triluEval(c *op.Call) error {
	k := 0
	if t := optional(c, 1); t != nil {
		d := t.I64()
		if len(d) != 1 {
			return fmt.Errorf("k of type %v and shape %v; want one int64", t.DType, t.Shape)
		}
		k = int(max(-maxElements, min(maxElements, d[0])))
	}
	upper := c.Node.Attrs.Int("upper", 1) != 0
	s := c.In[0].Shape
	rows, cols := s[len(s)-2], s[len(s)-1]
	switch x := c.In[0].Data.(type) {
	case []float32:
		return trilu(c.Out[0].Data, x, rows, cols, k, upper)
	case []float64:
		return trilu(c.Out[0].Data, x, rows, cols, k, upper)
	case []int64:
		return trilu(c.Out[0].Data, x, rows, cols, k, upper)
	case []int32:
		return trilu(c.Out[0].Data, x, rows, cols, k, upper)
	case []bool:
		return trilu(c.Out[0].Data, x, rows, cols, k, upper)
	}
	return unsupportedType(c, "elements of type %v", c.In[0].DType)
}

func trilu[T any](out any, x []T, rows, cols, k int, upper bool) error {
	y, ok := out.([]T)
	if !ok {
		return fmt.Errorf("cannot cut %T into %T", x, out)
	}
	var zero T
	for i, v := range x {
		r, c := i/cols%rows, i%cols
		if keep := c-r >= k; keep != upper && c-r != k {
			v = zero
		}
		y[i] = v
	}
	return nil
}

// triluGradient: the same triangle of dy.
func triluGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	in := append([]*onnxio.Value{dy[0]}, n.Inputs[1:]...)
	return onlyFirst(e.Op("Trilu", n.Attrs, in...))
}

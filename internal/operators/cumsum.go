// cumsum.go — CumSum, opset 11, 14: running sums along an axis, with or without the element itself, from the front or from the back.

package operators

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var cumSumOp = op.Def{Name: "CumSum", Since: 11, Wraps: op.WrapsExact,
	Attrs: op.Attributes{"exclusive": op.Boolean, "reverse": op.Boolean},
	Shape: cumSumShape, Eval: cumSumEval, Gradient: cumSumGradient, Linear: cumSumLinear, Couple: coupleCumSum}

func cumSumShape(n *onnxio.Node) ([]op.Type, error) {
	if _, err := shapeOf(n, 0); err != nil {
		return nil, err
	}
	if axis, err := shapeOf(n, 1); err != nil || product(axis) != 1 {
		return nil, fmt.Errorf("an axis of shape %v: %w", axis, err)
	}
	return sameShape(n)
}

// cumSumRows sees x as [outer, size, inner] with sums along the middle.
func cumSumRows(x []int, t *onnxio.Tensor) (gather, error) {
	if t == nil || t.Len() != 1 {
		return gather{}, fmt.Errorf("input 1 (axis) must be one integer")
	}
	axis, err := normalAxis(int(numberAt(t, 0)), len(x))
	if err != nil {
		return gather{}, err
	}
	return gather{product(x[:axis]), x[axis], product(x[axis+1:])}, nil
}

func cumSumEval(c *op.Call) error { return cumEval(c, false) }

// cumEval writes running sums, or running products.
func cumEval(c *op.Call, products bool) error {
	g, err := cumSumRows(c.In[0].Shape, c.In[1])
	if err != nil {
		return err
	}
	r := running{g, products, c.Node.Attrs.Int("exclusive", 0) != 0, c.Node.Attrs.Int("reverse", 0) != 0}
	switch x := c.In[0].Data.(type) {
	case []float32:
		return cumulate(r, c.Out[0].Data, x)
	case []float64:
		return cumulate(r, c.Out[0].Data, x)
	case []int64:
		return cumulate(r, c.Out[0].Data, x)
	case []int32:
		return cumulate(r, c.Out[0].Data, x)
	case []uint64:
		return cumulate(r, c.Out[0].Data, x)
	case []uint32:
		return cumulate(r, c.Out[0].Data, x)
	}
	return unsupportedType(c, "no sums or products of type %v", c.In[0].DType)
}

// running says what is added up or multiplied along which axis.
type running struct {
	g                            gather
	products, exclusive, reverse bool
}

func cumulate[T numeric](r running, out any, x []T) error {
	y, ok := out.([]T)
	if !ok || len(y) != len(x) {
		return fmt.Errorf("cannot add up %T to %T", x, out)
	}
	first := T(0)
	if r.products {
		first = 1
	}
	for o := range r.g.outer {
		for k := range r.g.inner {
			now := first
			for j := range r.g.size {
				if r.reverse {
					j = r.g.size - 1 - j
				}
				i := (o*r.g.size+j)*r.g.inner + k
				was := now
				if r.products {
					now *= x[i]
				} else {
					now += x[i]
				}
				if y[i] = now; r.exclusive {
					y[i] = was
				}
			}
		}
	}
	return nil
}

// cumSumLinear is a sparse map of ones, of size/2 entries a row on average.
func cumSumLinear(n *onnxio.Node) (*op.Linear, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	if n.ConstInput(1) == nil {
		return nil, op.Unsupported(n, "Linear", "the axis must be constant")
	}
	g, err := cumSumRows(x, n.ConstInput(1))
	if err != nil {
		return nil, err
	}
	if product(x) > maxTerms/max(1, g.size) {
		return nil, op.Unsupported(n, "Linear", fmt.Sprintf("more than %d coefficients", maxTerms))
	}
	exclusive, reverse := n.Attrs.Int("exclusive", 0) != 0, n.Attrs.Int("reverse", 0) != 0
	m := &affine.Sparse{In: product(x), Start: make([]int32, 1, product(x)+1)}
	for i := range product(x) {
		j := i / g.inner % g.size
		first, last := 0, j // of the elements that are summed
		if reverse {
			first, last = j, g.size-1
		}
		for p := first; p <= last; p++ {
			if !exclusive || p != j {
				m.Index = append(m.Index, int32(i+(p-j)*g.inner))
			}
		}
		m.Start = append(m.Start, int32(len(m.Index)))
	}
	return &op.Linear{Maps: []affine.Map{m, nil}, Execution: op.Sums(0, 1, "sums in any order")}, nil
}

// cumSumGradient sums dy from the other end.
func cumSumGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	back := int64(1)
	if n.Attrs.Int("reverse", 0) != 0 {
		back = 0
	}
	return onlyFirst(e.Op("CumSum", onnxio.Attrs{"exclusive": int64(n.Attrs.Int("exclusive", 0)), "reverse": back}, dy[0], n.Inputs[1]))
}

// div.go — Div, opset 7, 13, 14: y = a / b with broadcasting; integers divide toward zero.

package operators

import (
	"errors"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var divOp = op.Def{
	Name: "Div", Since: 7, Wraps: op.WrapsExact, AnyOrder: true,
	Shape:    pairType,
	Eval:     divEval,
	Gradient: divGradient,
	Interval: divInterval,
	Linear:   divLinear,
	Couple:   coupleElementwise,
}

var division = arithmetic{
	divRows[float32](), divRows[float64](), divRows[int64](), divRows[int32](), divRows[int16](), divRows[int8](),
	divRows[uint64](), divRows[uint32](), divRows[uint16](), divRows[uint8](),
}

// divEval divides; an integer division by zero is an error, for floats it is IEEE's.
func divEval(c *op.Call) error {
	zero := false
	switch b := c.In[1].Data.(type) {
	case []int64:
		zero = slices.Contains(b, 0)
	case []int32:
		zero = slices.Contains(b, 0)
	case []int16:
		zero = slices.Contains(b, 0)
	case []int8:
		zero = slices.Contains(b, 0)
	case []uint64:
		zero = slices.Contains(b, 0)
	case []uint32:
		zero = slices.Contains(b, 0)
	case []uint16:
		zero = slices.Contains(b, 0)
	case []uint8:
		zero = slices.Contains(b, 0)
	}
	if zero {
		return errors.New("integer division by zero")
	}
	return division.run(pairState(c), c.Out[0], c.In[0], c.In[1])
}

func divRows[T numeric]() binary[T, T] {
	return binary[T, T]{
		vv: func(y, a, b []T) {
			a, b = a[:len(y)], b[:len(y)]
			for i := range y {
				y[i] = a[i] / b[i]
			}
		},
		vs: func(y, a []T, b T) {
			for i, v := range a[:len(y)] {
				y[i] = v / b
			}
		},
		sv: func(y []T, a T, b []T) {
			for i, v := range b[:len(y)] {
				y[i] = a / v
			}
		},
	}
}

// divGradient: da = dy/b, db = -dy*y/b.
func divGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	dx := make([]*onnxio.Value, 2)
	q := e.Div(dy[0], n.Inputs[1])
	if e.Wants(n, 0) {
		dx[0] = e.Unbroadcast(q, n.Inputs[0].Shape)
	}
	if e.Wants(n, 1) {
		dx[1] = e.Unbroadcast(e.Neg(e.Mul(q, n.Outputs[0])), n.Inputs[1].Shape)
	}
	return dx
}

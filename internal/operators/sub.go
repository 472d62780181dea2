// sub.go — Sub, opset 7, 13, 14: y = a - b with broadcasting.

package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var subOp = op.Def{
	Name: "Sub", Since: 7, Wraps: op.WrapsExact, Zero: op.ZeroSummed, AnyOrder: true,
	Shape:    pairType,
	Eval:     evalArithmetic(&subtraction),
	Gradient: sumGradient(1, -1),
	Linear:   func(n *onnxio.Node) (*op.Linear, error) { return sumLinear(n, 1, -1) },
	Couple:   coupleElementwise,
}

var subtraction = arithmetic{
	subRows[float32](), subRows[float64](), subRows[int64](), subRows[int32](), subRows[int16](), subRows[int8](),
	subRows[uint64](), subRows[uint32](), subRows[uint16](), subRows[uint8](),
}

func subRows[T numeric]() binary[T, T] {
	return binary[T, T]{
		vv: func(y, a, b []T) {
			a, b = a[:len(y)], b[:len(y)]
			for i := range y {
				y[i] = a[i] - b[i]
			}
		},
		vs: func(y, a []T, b T) {
			for i, v := range a[:len(y)] {
				y[i] = v - b
			}
		},
		sv: func(y []T, a T, b []T) {
			for i, v := range b[:len(y)] {
				y[i] = a - v
			}
		},
	}
}

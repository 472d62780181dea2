// add.go — Add, opset 7, 13, 14: y = a + b with broadcasting.

package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var addOp = op.Def{
	Name: "Add", Since: 7, Wraps: op.WrapsExact, Zero: op.ZeroSummed, AnyOrder: true,
	Shape:    pairType,
	Eval:     evalArithmetic(&addition),
	Gradient: sumGradient(1, 1),
	Linear:   func(n *onnxio.Node) (*op.Linear, error) { return sumLinear(n, 1, 1) },
	Couple:   coupleElementwise,
}

var addition = arithmetic{
	addRows[float32](), addRows[float64](), addRows[int64](), addRows[int32](), addRows[int16](), addRows[int8](),
	addRows[uint64](), addRows[uint32](), addRows[uint16](), addRows[uint8](),
}

func addRows[T numeric]() binary[T, T] {
	vs := func(y, a []T, b T) {
		for i, v := range a[:len(y)] {
			y[i] = v + b
		}
	}
	return binary[T, T]{
		vv: func(y, a, b []T) {
			a, b = a[:len(y)], b[:len(y)]
			for i := range y {
				y[i] = a[i] + b[i]
			}
		},
		vs: vs,
		sv: func(y []T, a T, b []T) { vs(y, b, a) },
	}
}

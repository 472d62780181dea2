// mul.go — Mul, opset 7, 13, 14: y = a * b with broadcasting.

package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var mulOp = op.Def{
	Name: "Mul", Since: 7, Wraps: op.WrapsExact, Zero: op.ZeroOfOne, AnyOrder: true,
	Shape:    pairType,
	Eval:     evalArithmetic(&multiplication),
	Gradient: mulGradient,
	Interval: mulInterval,
	Linear:   mulLinear,
	Hinges:   mulHinges,
	Couple:   coupleElementwise,
}

var multiplication = arithmetic{
	mulRows[float32](), mulRows[float64](), mulRows[int64](), mulRows[int32](), mulRows[int16](), mulRows[int8](),
	mulRows[uint64](), mulRows[uint32](), mulRows[uint16](), mulRows[uint8](),
}

func mulRows[T numeric]() binary[T, T] {
	vs := func(y, a []T, b T) {
		for i, v := range a[:len(y)] {
			y[i] = v * b
		}
	}
	return binary[T, T]{
		vv: func(y, a, b []T) {
			a, b = a[:len(y)], b[:len(y)]
			for i := range y {
				y[i] = a[i] * b[i]
			}
		},
		vs: vs,
		sv: func(y []T, a T, b []T) { vs(y, b, a) },
	}
}

// mulGradient: da = dy*b, db = dy*a.
func mulGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	dx := make([]*onnxio.Value, 2)
	for i := range dx {
		if e.Wants(n, i) {
			dx[i] = e.Unbroadcast(e.Mul(dy[0], n.Inputs[1-i]), n.Inputs[i].Shape)
		}
	}
	return dx
}

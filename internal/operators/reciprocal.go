// reciprocal.go — Reciprocal, opset 6, 13: y = 1/x.

package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var reciprocalOp = op.Def{
	Name: "Reciprocal", Since: 6, AnyOrder: true,
	Shape: sameShape, Eval: elementwise(func(x float32) float32 { return 1 / x }, func(x float64) float64 { return 1 / x }),
	Gradient: reciprocalGradient,
	Interval: elementInterval(func(l, u float64) (float64, float64) { return divBounds(1, 1, l, u) }),
	Linear:   reciprocalLinear,
	Couple:   coupleElementwise,
}

func reciprocalLinear(n *onnxio.Node) (*op.Linear, error) {
	s, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	ones := make([]float64, product(s))
	for i := range ones {
		ones[i] = 1
	}
	return &op.Linear{Lines: hyperbolaLines(ones), Execution: divExecution}, nil
}

// reciprocalGradient: -y*y.
var reciprocalGradient = derivative(func(e *op.Emitter, _ *onnxio.Node, _, y *onnxio.Value) *onnxio.Value {
	return e.Neg(e.Mul(y, y))
})

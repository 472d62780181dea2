// neg.go — Neg, opset 6, 13: y = -x.

package operators

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var negOp = op.Def{Name: "Neg", Since: 6, Wraps: op.WrapsExact,
	Zero: op.ZeroKept, AnyOrder: true, Shape: sameShape, Eval: negEval, Gradient: negGradient,
	Linear: negLinear, Couple: coupleElementwise}

func negEval(c *op.Call) error {
	switch x := c.In[0].Data.(type) {
	case []float32:
		return negate(c.Out[0].Data, x)
	case []float64:
		return negate(c.Out[0].Data, x)
	case []int64:
		return negate(c.Out[0].Data, x)
	case []int32:
		return negate(c.Out[0].Data, x)
	case []int16:
		return negate(c.Out[0].Data, x)
	case []int8:
		return negate(c.Out[0].Data, x)
	}
	return unsupportedType(c, "no sign on type %v", c.In[0].DType)
}

func negate[T numeric](out any, x []T) error {
	y, ok := out.([]T)
	if !ok {
		return fmt.Errorf("cannot negate %T to %T", x, out)
	}
	for i, v := range x {
		y[i] = -v
	}
	return nil
}

func negLinear(n *onnxio.Node) (*op.Linear, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	return &op.Linear{Maps: []affine.Map{constDiag(product(x), -1)}, Execution: op.Exact("exact")}, nil
}

// constDiag is y = c*x.
func constDiag(n int, c float64) affine.Map {
	d := make([]float64, n)
	for i := range d {
		d[i] = c
	}
	return &affine.Diag{D: d}
}

// negGradient: -dy.
func negGradient(e *op.Emitter, _ *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	return onlyFirst(e.Neg(dy[0]))
}

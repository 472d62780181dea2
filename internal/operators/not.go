// not.go — Not, opset 1: y is true where x is false.

package operators

import (
	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var notOp = op.Def{Name: "Not", Since: 1, Shape: sameShape, Eval: notEval, Linear: notLinear, Couple: coupleElementwise}

func notEval(c *op.Call) error {
	x, ok := c.In[0].Data.([]bool)
	y, ok2 := c.Out[0].Data.([]bool)
	if !ok || !ok2 {
		return unsupportedType(c, "input of type %v where bool is needed", c.In[0].DType)
	}
	for i, v := range x {
		y[i] = !v
	}
	return nil
}

// notLinear is 1 - x on 0 and 1.
func notLinear(n *onnxio.Node) (*op.Linear, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	l := &op.Linear{Maps: []affine.Map{constDiag(product(x), -1)}, Bias: make([]float64, product(x)), Execution: op.Exact("exact")}
	for i := range l.Bias {
		l.Bias[i] = 1
	}
	return l, nil
}

// sign.go — Sign, opset 9, 13: -1, 0 or 1.

package operators

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

var signOp = op.Def{
	Name: "Sign", Since: 9, AnyOrder: true,
	Shape: sameShape, Eval: signEval,
	Gradient: signGradient,
	Interval: elementInterval(rising(signEnds)),
	Linear:   lines(relax.Stairs(signOf, func(lo, hi float64) (first, last, height float64) { return 0, 0, hi - lo }), 0, "exact"),
	Couple:   coupleElementwise,
}

// floatSign is the Eval of floats.
var floatSign = float64Only(signOf)

func signEval(c *op.Call) error {
	switch x := c.In[0].Data.(type) {
	case []int64:
		return signs(c.Out[0], x)
	case []int32:
		return signs(c.Out[0], x)
	case []int16:
		return signs(c.Out[0], x)
	case []int8:
		return signs(c.Out[0], x)
	case []uint64:
		return signs(c.Out[0], x)
	case []uint32:
		return signs(c.Out[0], x)
	case []uint16:
		return signs(c.Out[0], x)
	case []uint8:
		return signs(c.Out[0], x)
	}
	return floatSign(c)
}

func signs[T numeric](out *onnxio.Tensor, x []T) error {
	y, ok := out.Data.([]T)
	if !ok {
		return fmt.Errorf("output of type %v for input %T", out.DType, x)
	}
	for i, v := range x {
		y[i] = T(signOf(float64(v)))
	}
	return nil
}

func signOf(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x
}

// signEnds brackets the value, which float64 holds.
func signEnds(x float64) (lo, hi float64) { return signOf(x), signOf(x) }

// abs.go — Abs, opset 6, 13: y = |x|.

package operators

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

var absOp = op.Def{
	Name: "Abs", Since: 6, Wraps: op.WrapsExact, AnyOrder: true,
	Shape: sameShape, Eval: absEval,
	Gradient: absGradient,
	Interval: elementInterval(func(l, u float64) (float64, float64) { return relax.KinkBounds(l, u, -1, 1) }),
	Linear:   chosen(absLines, relax.Kinked{A: -1, B: 1}, 0, "exact"),
	Couple:   coupleElementwise,
}

func absLines(s relax.Slope, l, u []float64, out *relax.Lines) {
	for i := range l {
		relax.KinkLine(s, i, l[i], u[i], -1, 1, out)
	}
}

func absEval(c *op.Call) error {
	switch x := c.In[0].Data.(type) {
	case []float32:
		y := c.Out[0].F32()
		for i, v := range x {
			y[i] = math.Float32frombits(math.Float32bits(v) &^ (1 << 31))
		}
	case []float64:
		y := c.Out[0].F64()
		for i, v := range x {
			y[i] = math.Abs(v)
		}
	case []int64:
		return absolute(c.Out[0], x)
	case []int32:
		return absolute(c.Out[0], x)
	case []int16:
		return absolute(c.Out[0], x)
	case []int8:
		return absolute(c.Out[0], x)
	case []uint64, []uint32, []uint16, []uint8:
		return copyEval(c)
	default:
		return unsupportedType(c, "no sign on type %v", c.In[0].DType)
	}
	return nil
}

func absolute[T int64 | int32 | int16 | int8](out *onnxio.Tensor, x []T) error {
	y, ok := out.Data.([]T)
	if !ok {
		return fmt.Errorf("output of type %v for input %T", out.DType, x)
	}
	for i, v := range x {
		y[i] = max(v, -v)
	}
	return nil
}

// absGradient: the sign of x, 0 at 0.
var absGradient = derivative(func(e *op.Emitter, _ *onnxio.Node, x, _ *onnxio.Value) *onnxio.Value {
	return e.Sign(x)
})

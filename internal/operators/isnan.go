// isnan.go — IsNaN, opset 9, 13, 20: y tells where x is not a number.

package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

var isNaNOp = op.Def{
	Name: "IsNaN", Since: 9,
	Shape: boolShape, Eval: isNaNEval,
	Interval: neverUnlessHuge, Linear: boxForms(neverUnlessHuge, op.Exact("exact")),
	Couple: coupleElementwise,
}

// boolShape is the Shape face of tests of single elements.
func boolShape(n *onnxio.Node) ([]op.Type, error) {
	t, err := sameShape(n)
	if err == nil {
		t[0].DType = onnxio.Bool
	}
	return t, err
}

func isNaNEval(c *op.Call) error {
	return eachTest(c, math.IsNaN)
}

// eachTest is y[i] = f(x[i]) for floats.
func eachTest(c *op.Call, f func(float64) bool) error {
	y, ok := c.Out[0].Data.([]bool)
	if !ok {
		return unsupportedType(c, "output of type %v where bool is needed", c.Out[0].DType)
	}
	switch x := c.In[0].Data.(type) {
	case []float32:
		for i, v := range x {
			y[i] = f(float64(v))
		}
	case []float64:
		for i, v := range x {
			y[i] = f(v)
		}
	default:
		return unsupportedType(c, "input of type %v where a float is needed", c.In[0].DType)
	}
	return nil
}

// neverUnlessHuge is the Interval face of IsNaN and IsInf: numbers are neither. A box that reaches beyond float32 tells nothing, since an
// execution may have overflown there.
func neverUnlessHuge(_ *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
	out := relax.NewBox(len(in[0].Lower))
	for i, l := range in[0].Lower {
		if !(l >= -math.MaxFloat32 && in[0].Upper[i] <= math.MaxFloat32) {
			out.Upper[i] = 1
		}
	}
	return []relax.Box{out}, nil
}

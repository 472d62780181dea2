// leakyrelu.go — LeakyRelu, opset 6, 16: y = x where x >= 0, else alpha*x. alpha may be any number.

package op

import (
	"fmt"

	"github.com/shallow-waters/shoal/onnxio"
)

func init() {
	Register(Def{
		Name: "LeakyRelu", Since: 6,
		Attrs:    Attributes{"alpha": anyValue},
		AnyOrder: true,
		Shape:    sameShape, Eval: leakyEval, Gradient: leakyReluGradient, Interval: leakyInterval, Linear: leakyLinear,
		Couple: coupleElementwise,
	})
}

func leakyAlpha(n *onnxio.Node) float32 { return n.Attrs.Float("alpha", 0.01) }

func leakyEval(c *Call) error {
	alpha := leakyAlpha(c.Node)
	switch x := c.In[0].Data.(type) {
	case []float32:
		return leaky(c.Out[0].F32(), x, alpha)
	case []float64:
		return leaky(c.Out[0].F64(), x, float64(alpha))
	}
	return unsupportedType(c, "input of type %v where a float is needed", c.In[0].DType)
}

func leaky[T float32 | float64](y, x []T, alpha T) error {
	if len(y) != len(x) {
		return fmt.Errorf("input and output differ in type")
	}
	for i, v := range x {
		if v < 0 {
			v *= alpha
		}
		y[i] = v
	}
	return nil
}

func leakyInterval(n *onnxio.Node, in []Box) ([]Box, error) {
	alpha, out := float64(leakyAlpha(n)), newBox(len(in[0].Lower))
	for i := range out.Lower {
		out.Lower[i], out.Upper[i] = kinkBounds(in[0].Lower[i], in[0].Upper[i], alpha, 1)
	}
	return []Box{out}, nil
}

func leakyLinear(n *onnxio.Node) (*Linear, error) {
	alpha := float64(leakyAlpha(n))
	return &Linear{Lines: func(s Slope, l, u []float64, out *Lines) {
		for i := range l {
			kinkLine(s, i, l[i], u[i], alpha, 1, out)
		}
	}, Execution: Within(0.5, 0, "one rounded product below 0")}, nil
}

// leakyReluGradient: alpha below 0, else 1.
var leakyReluGradient = derivative(func(e *Emitter, n *onnxio.Node, x, _ *onnxio.Value) *onnxio.Value {
	return e.Where(e.Greater(e.Scalar(x, 0), x), e.Scalar(x, float64(leakyAlpha(n))), e.Scalar(x, 1))
})

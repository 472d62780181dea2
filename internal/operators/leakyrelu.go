// leakyrelu.go — LeakyRelu, opset 6, 16: y = x where x >= 0, else alpha*x. alpha may be any number.

package operators

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

var leakyReluOp = op.Def{
	Name: "LeakyRelu", Since: 6, Rising: leakyReluRises, Zero: op.ZeroKept,
	Attrs:    op.Attributes{"alpha": op.AnyValue},
	AnyOrder: true,
	Shape:    sameShape, Eval: leakyEval, Gradient: leakyReluGradient, Interval: leakyInterval, Linear: leakyLinear,
	Couple: coupleElementwise,
}

func leakyAlpha(n *onnxio.Node) float32 { return n.Attrs.Float("alpha", 0.01) }

func leakyEval(c *op.Call) error {
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

func leakyInterval(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
	alpha, out := float64(leakyAlpha(n)), relax.NewBox(len(in[0].Lower))
	for i := range out.Lower {
		out.Lower[i], out.Upper[i] = relax.KinkBounds(in[0].Lower[i], in[0].Upper[i], alpha, 1)
	}
	return []relax.Box{out}, nil
}

func leakyLinear(n *onnxio.Node) (*op.Linear, error) {
	alpha := float64(leakyAlpha(n))
	return &op.Linear{Lines: func(s relax.Slope, l, u []float64, out *relax.Lines) {
		for i := range l {
			relax.KinkLine(s, i, l[i], u[i], alpha, 1, out)
		}
	}, Family: relax.Kinked{A: alpha, B: 1}, Execution: op.Within(0.5, 0, "one rounded product below 0")}, nil
}

// leakyReluGradient: alpha below 0, else 1.
var leakyReluGradient = derivative(func(e *op.Emitter, n *onnxio.Node, x, _ *onnxio.Value) *onnxio.Value {
	return e.Where(e.Greater(e.Scalar(x, 0), x), e.Scalar(x, float64(leakyAlpha(n))), e.Scalar(x, 1))
})

func leakyReluRises(n *onnxio.Node) bool { return n.Attrs.Float("alpha", 0.01) >= 0 }

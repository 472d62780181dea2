// celu.go — Celu, opset 12: y = max(0, x) + min(0, alpha * (exp(x/alpha) - 1)). Bounds are known for alpha > 0.

package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

var celuOp = op.Def{
	Name: "Celu", Since: 12,
	Attrs:    op.Attributes{"alpha": op.AnyValue},
	AnyOrder: true,
	Shape:    sameShape, Eval: celuEval,
	Gradient: celuGradient,
	Interval: func(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
		e, err := celuOf(n, "Interval")
		if err != nil {
			return nil, err
		}
		return elementInterval(e.bounds)(n, in)
	},
	Linear: func(n *onnxio.Node) (*op.Linear, error) {
		e, err := celuOf(n, "Linear")
		if err != nil {
			return nil, err
		}
		return e.linear(n)
	},
	Couple: coupleElementwise,
}

func celuOf(n *onnxio.Node, face string) (expKink, error) {
	alpha := float64(n.Attrs.Float("alpha", 1))
	if !(alpha > 0) || !sound.Finite(alpha) {
		return expKink{}, op.Unsupported(n, face, "alpha is not positive")
	}
	return expKink{alpha, alpha, 1}, nil
}

func celuEval(c *op.Call) error {
	return eachFloat(c, func(x, alpha, _ float64) float64 {
		if x < 0 {
			return alpha * math.Expm1(x/alpha)
		}
		return x
	}, float64(c.Node.Attrs.Float("alpha", 1)), 0)
}

// celuGradient: exp(x/alpha) below 0, else 1.
var celuGradient = derivative(func(e *op.Emitter, n *onnxio.Node, x, y *onnxio.Value) *onnxio.Value {
	alpha := float64(n.Attrs.Float("alpha", 1))
	return e.Where(e.Greater(e.Scalar(x, 0), x), e.AddC(e.MulC(y, 1/alpha), 1), e.Scalar(x, 1))
})

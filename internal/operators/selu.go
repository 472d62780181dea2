// selu.go — Selu, opset 6, 22: y = gamma*x where x > 0, else gamma * alpha * (exp(x) - 1).

package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

var seluOp = op.Def{
	Name: "Selu", Since: 6,
	Attrs:    op.Attributes{"alpha": op.AnyValue, "gamma": op.AnyValue},
	AnyOrder: true,
	Shape:    sameShape, Eval: func(c *op.Call) error { e := seluOf(c.Node); return eachFloat(c, eluAt, e.a, e.k) },
	Gradient: seluGradient,
	Interval: func(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
		return elementInterval(seluOf(n).bounds)(n, in)
	},
	Linear: func(n *onnxio.Node) (*op.Linear, error) { return seluOf(n).linear(n) },
	Couple: coupleElementwise,
}

// seluOf multiplies gamma and alpha, which are float32: exactly.
func seluOf(n *onnxio.Node) expKink {
	alpha, gamma := float64(n.Attrs.Float("alpha", 1.67326319217681884765625)), float64(n.Attrs.Float("gamma", 1.05070102214813232421875))
	return expKink{gamma * alpha, 1, gamma}
}

// seluGradient: y + gamma*alpha below 0, else gamma.
var seluGradient = derivative(func(e *op.Emitter, n *onnxio.Node, x, y *onnxio.Value) *onnxio.Value {
	k := seluOf(n)
	return e.Where(e.Greater(e.Scalar(x, 0), x), e.AddC(y, k.a), e.Scalar(x, k.k))
})

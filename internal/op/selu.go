// selu.go — Selu, opset 6, 22: y = gamma*x where x > 0, else gamma * alpha * (exp(x) - 1).

package op

import "github.com/shallow-waters/shoal/onnxio"

func init() {
	Register(Def{
		Name: "Selu", Since: 6,
		Attrs:    Attributes{"alpha": anyValue, "gamma": anyValue},
		AnyOrder: true,
		Shape:    sameShape, Eval: func(c *Call) error { e := seluOf(c.Node); return eachFloat(c, eluAt, e.a, e.k) },
		Gradient: seluGradient,
		Interval: func(n *onnxio.Node, in []Box) ([]Box, error) { return elementInterval(seluOf(n).bounds)(n, in) },
		Linear:   func(n *onnxio.Node) (*Linear, error) { return seluOf(n).linear(n) },
		Couple:   coupleElementwise,
	})
}

// seluOf multiplies gamma and alpha, which are float32: exactly.
func seluOf(n *onnxio.Node) expKink {
	alpha, gamma := float64(n.Attrs.Float("alpha", 1.67326319217681884765625)), float64(n.Attrs.Float("gamma", 1.05070102214813232421875))
	return expKink{gamma * alpha, 1, gamma}
}

// seluGradient: y + gamma*alpha below 0, else gamma.
var seluGradient = derivative(func(e *Emitter, n *onnxio.Node, x, y *onnxio.Value) *onnxio.Value {
	k := seluOf(n)
	return e.Where(e.Greater(e.Scalar(x, 0), x), e.AddC(y, k.a), e.Scalar(x, k.k))
})

// sumop.go — Sum, opset 6, 8 (broadcasting), 13: the sum of any number of inputs.

package op

import "github.com/shallow-waters/shoal/onnxio"

func init() {
	Register(Def{
		Name: "Sum", Since: 6, AnyOrder: true,
		Shape:    broadcastType,
		Eval:     variadicEval(&addition),
		Gradient: sumGradient(),
		Linear:   func(n *onnxio.Node) (*Linear, error) { return sumLinear(n) },
		Couple:   coupleElementwise,
	})
}

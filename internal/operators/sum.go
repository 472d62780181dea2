// sum.go — Sum, opset 6, 8 (broadcasting), 13: the sum of any number of inputs.

package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var sumOp = op.Def{
	Name: "Sum", Since: 6, Wraps: op.WrapsExact, Zero: op.ZeroSummed, AnyOrder: true,
	Shape:    broadcastType,
	Eval:     variadicEval(&addition),
	Gradient: sumGradient(),
	Linear:   func(n *onnxio.Node) (*op.Linear, error) { return sumLinear(n) },
	Couple:   coupleElementwise,
}

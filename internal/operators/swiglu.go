// swiglu.go — SwiGLU, opset 28: y = a * sigmoid(alpha*a) * b. Written in parts. Source: Shazeer 2020, "GLU Variants Improve Transformer".

package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var swiGLUOp = op.Def{Name: "SwiGLU", Since: 28, Fused: true, Attrs: op.Attributes{"alpha": op.AnyValue}, Couple: coupleElementwise,
	Parts: func(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
		return one(e.Mul(swish(e, n.Input(0), float64(n.Attrs.Float("alpha", 1))), n.Input(1)))
	}}

package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// groupNormGradient is that of InstanceNormalization and GroupNormalization.
func groupNormGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	x := n.Inputs[0]
	if e.Wants(n, 1) || e.Wants(n, 2) {
		return e.Refuse(n, "the scale depends on the model's input")
	}
	groups, scales, inner, err := groupNormForm(n, x.Shape)
	if err != nil {
		e.Fail(err)
		return nil
	}
	g := e.Mul(e.Reshape(dy[0], x.Shape[0], scales, inner), e.Reshape(n.Inputs[1], scales, 1))
	size := product(x.Shape) / (x.Shape[0] * groups)
	dx := standardised(e, e.Reshape(x, x.Shape[0], groups, size), e.Reshape(g, x.Shape[0], groups, size), epsilonOf(n), []int{2})
	return onlyFirst(e.Reshape(dx, x.Shape...))
}

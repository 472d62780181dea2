package operators

import (
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// layerNormGradient goes through the scale and the standardisation.
func layerNormGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	x := n.Inputs[0]
	if e.Wants(n, 1) || e.Wants(n, 2) || dy[0] == nil || len(dy) > 1 && slices.ContainsFunc(dy[1:], func(v *onnxio.Value) bool { return v != nil }) {
		return e.Refuse(n, "only the gradient of the first output in the first input is known")
	}
	axis, err := normalAxis(n.Attrs.Int("axis", -1), len(x.Shape))
	if err != nil {
		e.Fail(err)
		return nil
	}
	var axes []int
	for i := axis; i < len(x.Shape); i++ {
		axes = append(axes, i)
	}
	g := e.Mul(dy[0], e.Reshape(n.Inputs[1], x.Shape[axis:]...))
	return onlyFirst(standardised(e, x, g, epsilonOf(n), axes))
}

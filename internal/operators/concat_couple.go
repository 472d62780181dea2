package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// coupleConcat ties every input's slots to those of its part of the output.
func coupleConcat(n *onnxio.Node, c op.Coupler) {
	y := n.Outputs[0]
	axis, err := normalAxis(n.Attrs.Int("axis", 1), len(y.Shape))
	if err != nil {
		return
	}
	at := 0
	for _, v := range n.Inputs {
		tieEach(c, v, y, func(i int) bool { return i == axis })
		for i := range v.Shape[axis] {
			c.Tie(op.Axis{Value: v, Axis: axis}, i, op.Axis{Value: y, Axis: axis}, at+i)
		}
		at += v.Shape[axis]
	}
}

package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// coupleOverAxis is the Couple face of Softmax and its kin: the axis is pinned, before opset 13 all from it on.
func coupleOverAxis(n *onnxio.Node, c op.Coupler) {
	x := n.Inputs[0]
	def := 1
	if n.Opset >= 13 {
		def = -1
	}
	at := n.Attrs.Int("axis", def)
	axis, err := normalAxis(at, max(len(x.Shape), 1))
	coupleMixed(n, c, func(i int) bool { return err != nil || i == axis || n.Opset < 13 && i > axis })
}

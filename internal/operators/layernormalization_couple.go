package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// coupleFromAxis is the Couple face of operators that mix all axes from `axis` on: these are pinned.
func coupleFromAxis(n *onnxio.Node, c op.Coupler) {
	x := n.Inputs[0]
	axis, err := normalAxis(n.Attrs.Int("axis", -1), max(len(x.Shape), 1))
	if err != nil {
		axis = 0
	}
	coupleMixed(n, c, func(i int) bool { return i >= axis })
}

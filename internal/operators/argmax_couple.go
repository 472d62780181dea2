package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// coupleArg is the Couple face of ArgMax and ArgMin.
func coupleArg(n *onnxio.Node, c op.Coupler) {
	mask := make([]bool, len(n.Inputs[0].Shape))
	axis, err := normalAxis(n.Attrs.Int("axis", 0), len(mask))
	if err == nil {
		mask[axis] = true
		coupleReduced(n, c, mask, false)
	}
}

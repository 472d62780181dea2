package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// coupleCumSum is coupleFirst, with a sum over the axis, or over any where it is not known.
func coupleCumSum(n *onnxio.Node, c op.Coupler) {
	coupleFirst(n, c)
	for _, a := range axesOf(n.Inputs[0]) {
		c.Ends(a)
	}
}

package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// coupleMixed pins the axes that an operator mixes and ties the others.
func coupleMixed(n *onnxio.Node, c op.Coupler, mixed func(axis int) bool) {
	why := n.Op + " mixes its elements"
	x := n.Inputs[0]
	pinEach(c, x, why, func(i int) bool { return !mixed(i) })
	for k, v := range n.Outputs {
		if k > 0 {
			pinEach(c, v, why, nil)
			continue
		}
		tieEach(c, x, v, mixed)
		pinEach(c, v, why, func(i int) bool { return !mixed(i) })
	}
	for _, v := range n.Inputs[1:] {
		pinEach(c, v, why, nil)
	}
}

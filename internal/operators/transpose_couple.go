package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

func coupleTranspose(n *onnxio.Node, c op.Coupler) {
	x, y := n.Inputs[0], n.Outputs[0]
	perm, err := permutation(n, len(x.Shape))
	if err != nil {
		return
	}
	for i, from := range perm {
		tieAll(c, op.Axis{Value: x, Axis: from}, op.Axis{Value: y, Axis: i})
	}
}

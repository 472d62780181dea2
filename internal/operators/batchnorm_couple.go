package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

func coupleBatchnorm(n *onnxio.Node, c op.Coupler) {
	x, y := n.Inputs[0], n.Outputs[0]
	tieEach(c, x, y, nil)
	for _, v := range n.Inputs[1:] {
		tieAll(c, op.Axis{Value: v, Axis: 0}, op.Axis{Value: y, Axis: 1})
	}
	for _, v := range n.Outputs[1:] {
		pinEach(c, v, "it belongs to training", nil)
	}
	c.Scales(op.Axis{Value: n.Inputs[1], Axis: 0})
}

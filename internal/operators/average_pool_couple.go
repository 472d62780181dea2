package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// coupleImage is the Couple face of operators that work on each channel's image by itself.
func coupleImage(n *onnxio.Node, c op.Coupler) {
	x, y := n.Inputs[0], n.Outputs[0]
	tieEach(c, x, y, func(axis int) bool { return axis >= 2 })
	for _, v := range []*onnxio.Value{x, y} {
		pinEach(c, v, spatialAxis, beyondChannels)
	}
	for _, v := range n.Inputs[1:] {
		pinEach(c, v, "it is an argument of "+n.Op, nil)
	}
	for _, v := range n.Outputs[1:] { // MaxPool's indices count through all channels
		if v != nil {
			pinEach(c, v, "it holds places in the whole tensor", nil)
			pinEach(c, x, "output "+v.Name+" holds places in the whole tensor", nil)
		}
	}
}

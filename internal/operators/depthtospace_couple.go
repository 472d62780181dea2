package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// coupleDepthToSpace ties an output channel to the channels that fill its blocks.
func coupleDepthToSpace(n *onnxio.Node, c op.Coupler) {
	x, y := n.Inputs[0], n.Outputs[0]
	b := n.Attrs.Int("blocksize", 1)
	tieAll(c, op.Axis{Value: x, Axis: 0}, op.Axis{Value: y, Axis: 0})
	for i := range x.Shape[1] {
		j := i % y.Shape[1]
		if n.Attrs.String("mode", "DCR") == "CRD" {
			j = i / (b * b)
		}
		c.Tie(op.Axis{Value: x, Axis: 1}, i, op.Axis{Value: y, Axis: 1}, j)
	}
	pinEach(c, x, spatialAxis, beyondChannels)
	pinEach(c, y, spatialAxis, beyondChannels)
}

func coupleSpaceToDepth(n *onnxio.Node, c op.Coupler) {
	x, y := n.Inputs[0], n.Outputs[0]
	tieAll(c, op.Axis{Value: x, Axis: 0}, op.Axis{Value: y, Axis: 0})
	for i := range y.Shape[1] {
		from := i % x.Shape[1]
		if blocksLast(n) {
			from = i * x.Shape[1] / y.Shape[1]
		}
		c.Tie(op.Axis{Value: y, Axis: 1}, i, op.Axis{Value: x, Axis: 1}, from)
	}
	pinEach(c, x, spatialAxis, beyondChannels)
	pinEach(c, y, spatialAxis, beyondChannels)
}

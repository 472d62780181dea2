package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// coupleConvTranspose is coupleConv with the weights the other way round: inputs first, then outputs within a group.
func coupleConvTranspose(n *onnxio.Node, c op.Coupler) {
	x, w, y := n.Inputs[0], n.Inputs[1], n.Outputs[0]
	groups := n.Attrs.Int("group", 1)
	if groups == 1 {
		coupleChannels(c, x, w, y, op.Axis{Value: w, Axis: 1}, op.Axis{Value: w, Axis: 0}, 1)
		c.Filters(op.Axis{Value: w, Axis: 1})
	} else {
		// A group's weights are a run of the first axis, as with Conv, though the run has the length of the group's inputs.
		coupleChannels(c, x, w, y, op.Axis{Value: w, Axis: 0}, op.Axis{Value: w, Axis: 1}, groups)
		c.Filters(op.Axis{Value: w, Axis: 0})
	}
	if b := n.Input(2); b != nil {
		tieAll(c, op.Axis{Value: b, Axis: 0}, op.Axis{Value: y, Axis: 1})
	}
}

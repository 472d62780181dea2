package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// coupleQuantize ties scales and zero points of their own to the channels that they belong to.
func coupleQuantize(n *onnxio.Node, c op.Coupler) {
	x := n.Inputs[0]
	tieEach(c, x, n.Outputs[0], nil)
	axis, err := normalAxis(n.Attrs.Int("axis", 1), max(len(x.Shape), 1))
	if err == nil {
		whole := x
		if n.Op == "QuantizeLinear" {
			whole = n.Outputs[0]
		}
		c.Quantised(whole, n.Input(1), n.Input(2), axis)
	}
	for _, v := range n.Inputs[1:] {
		switch {
		case v == nil || len(v.Shape) == 0:
		case err == nil && len(v.Shape) == 1 && axis < len(x.Shape) && v.Shape[0] == x.Shape[axis]:
			tieAll(c, op.Axis{Value: v, Axis: 0}, op.Axis{Value: x, Axis: axis})
		case len(v.Shape) == 1 && v.Shape[0] == 1:
			c.Pin(op.Axis{Value: v, Axis: 0}, onesAxis)
		default:
			pinEach(c, v, "it scales blocks", nil)
			pinEach(c, x, "it is scaled in blocks", nil)
		}
	}
}

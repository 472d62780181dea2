package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// Couple faces of what quantises while it runs: whole numbers whose zero point comes from the range of what is given, and sums of them in 32
// bits. The range is taken to hold 0, so that it is the same with a slot at 0 as without it, and 0 is the zero point exactly.

// coupleDynamicQuantize gives each slot its own numbers, at a scale and a zero point that all slots have a part in.
func coupleDynamicQuantize(n *onnxio.Node, c op.Coupler) {
	x, y := n.Inputs[0], n.Outputs[0]
	tieEach(c, x, y, nil)
	for _, a := range axesOf(x) {
		c.Ends(a)
	}
	if y != nil && len(n.Outputs) > 2 && n.Outputs[2] != nil {
		c.Quantised(y, n.Outputs[1], n.Outputs[2], 0)
	}
}

// coupleMatMulInteger has a zero point for each row of the first factor, and for each column of the second.
func coupleMatMulInteger(n *onnxio.Node, c op.Coupler) {
	a, b := n.Inputs[0], n.Inputs[1]
	rows, columns := coupleProduct(n, c, a, b)
	coupleReading(c, a, nil, n.Input(2), rows)
	coupleReading(c, b, nil, n.Input(3), columns)
}

// coupleConvInteger has a zero point for each filter.
func coupleConvInteger(n *onnxio.Node, c op.Coupler) {
	x, w := n.Inputs[0], n.Inputs[1]
	filters := op.Axis{Value: w, Axis: 0}
	coupleChannels(c, x, w, n.Outputs[0], filters, op.Axis{Value: w, Axis: 1}, n.Attrs.Int("group", 1))
	c.Filters(filters)
	coupleReading(c, x, nil, n.Input(2), nil)
	coupleReading(c, w, nil, n.Input(3), &filters)
}

// coupleDynamicMatMul quantises its first input by the range of all of it, multiplies, and gives real numbers.
func coupleDynamicMatMul(n *onnxio.Node, c op.Coupler) {
	a, b := n.Inputs[0], n.Inputs[1]
	_, columns := coupleProduct(n, c, a, b)
	for _, x := range axesOf(a) {
		c.Ends(x)
	}
	coupleLines(n, c, b, 2, columns)
	tieBroadcast(c, n.Input(4), n.Outputs[0])
}

// coupleMatMulIntegerToFloat is a product of whole numbers whose scales stand with it, and so does a bias of real numbers.
func coupleMatMulIntegerToFloat(n *onnxio.Node, c op.Coupler) {
	rows, columns := coupleProduct(n, c, n.Inputs[0], n.Inputs[1])
	coupleReading(c, n.Inputs[0], n.Input(2), n.Input(4), rows)
	coupleReading(c, n.Inputs[1], n.Input(3), n.Input(5), columns)
	tieBroadcast(c, n.Input(6), n.Outputs[0])
}

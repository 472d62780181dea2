package op

import "github.com/shallow-waters/shoal/onnxio"

// coupleElementwise is the Couple face of operators whose outputs depend, element by element, on their inputs with broadcasting.
func coupleElementwise(n *onnxio.Node, c Coupler) {
	y := n.Outputs[0]
	for _, v := range n.Inputs {
		tieBroadcast(c, v, y)
	}
	for _, v := range n.Outputs[1:] {
		tieEach(c, v, y, nil)
	}
}

// coupleFirst is coupleElementwise for operators whose other inputs are arguments.
func coupleFirst(n *onnxio.Node, c Coupler) {
	for _, v := range n.Outputs {
		tieEach(c, n.Inputs[0], v, nil)
	}
	for _, v := range n.Inputs[1:] {
		pinEach(c, v, "it is an argument of "+n.Op, nil)
	}
}

// coupleCumSum is coupleFirst, with a sum over the axis, or over any where it is not known.
func coupleCumSum(n *onnxio.Node, c Coupler) {
	coupleFirst(n, c)
	for _, a := range axesOf(n.Inputs[0]) {
		c.Ends(a)
	}
}

// coupleNothing is the Couple face of operators that say nothing about their values' slots: what they give follows from sizes.
func coupleNothing(*onnxio.Node, Coupler) {}

// coupleQuantize ties scales and zero points of their own to the channels that they belong to.
func coupleQuantize(n *onnxio.Node, c Coupler) {
	x := n.Inputs[0]
	tieEach(c, x, n.Outputs[0], nil)
	axis, err := normalAxis(n.Attrs.Int("axis", 1), max(len(x.Shape), 1))
	for _, v := range n.Inputs[1:] {
		switch {
		case v == nil || len(v.Shape) == 0:
		case err == nil && len(v.Shape) == 1 && axis < len(x.Shape) && v.Shape[0] == x.Shape[axis]:
			tieAll(c, Axis{v, 0}, Axis{x, axis})
		case len(v.Shape) == 1 && v.Shape[0] == 1:
			c.Pin(Axis{v, 0}, onesAxis)
		default:
			pinEach(c, v, "it scales blocks", nil)
			pinEach(c, x, "it is scaled in blocks", nil)
		}
	}
}

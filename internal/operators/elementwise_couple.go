package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// coupleElementwise is the Couple face of operators whose outputs depend, element by element, on their inputs with broadcasting.
func coupleElementwise(n *onnxio.Node, c op.Coupler) {
	y := n.Outputs[0]
	for _, v := range n.Inputs {
		tieBroadcast(c, v, y)
	}
	for _, v := range n.Outputs[1:] {
		tieEach(c, v, y, nil)
	}
}

// coupleFirst is coupleElementwise for operators whose other inputs are arguments.
func coupleFirst(n *onnxio.Node, c op.Coupler) {
	for _, v := range n.Outputs {
		tieEach(c, n.Inputs[0], v, nil)
	}
	for _, v := range n.Inputs[1:] {
		pinEach(c, v, "it is an argument of "+n.Op, nil)
	}
}

// coupleNothing is the Couple face of operators that say nothing about their values' slots: what they give follows from sizes.
func coupleNothing(*onnxio.Node, op.Coupler) {}

package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// coupleTile: every copy of a slot goes with it.
func coupleTile(n *onnxio.Node, c op.Coupler) {
	x, y := n.Inputs[0], n.Outputs[0]
	for i, d := range x.Shape {
		for k := range y.Shape[i] {
			c.Tie(op.Axis{Value: x, Axis: i}, k%d, op.Axis{Value: y, Axis: i}, k)
		}
	}
	pinEach(c, n.Input(1), "it is an argument of Tile", nil)
}

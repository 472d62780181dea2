package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

func coupleGemm(n *onnxio.Node, c op.Coupler) {
	a, b, y := n.Inputs[0], n.Inputs[1], n.Outputs[0]
	row, sum := 0, 1
	if n.Attrs.Int("transA", 0) != 0 {
		row, sum = 1, 0
	}
	from, to := 0, 1
	if n.Attrs.Int("transB", 0) != 0 {
		from, to = 1, 0
	}
	tieAll(c, op.Axis{Value: a, Axis: row}, op.Axis{Value: y, Axis: 0})
	tieAll(c, op.Axis{Value: a, Axis: sum}, op.Axis{Value: b, Axis: from})
	c.Ends(op.Axis{Value: a, Axis: sum})
	c.Ends(op.Axis{Value: b, Axis: from})
	tieAll(c, op.Axis{Value: b, Axis: to}, op.Axis{Value: y, Axis: 1})
	tieBroadcast(c, n.Input(2), y)
	c.Filters(op.Axis{Value: b, Axis: to})
}

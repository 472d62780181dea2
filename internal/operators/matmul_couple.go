package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// coupleMatMul: rows of the first, columns of the second, and the axis that is summed over; axes before these broadcast.
func coupleMatMul(n *onnxio.Node, c op.Coupler) {
	a, b, y := n.Inputs[0], n.Inputs[1], n.Outputs[0]
	p, q, r := len(a.Shape), len(b.Shape), len(y.Shape)
	from := max(q-2, 0)
	tieAll(c, op.Axis{Value: a, Axis: p - 1}, op.Axis{Value: b, Axis: from})
	c.Ends(op.Axis{Value: a, Axis: p - 1})
	c.Ends(op.Axis{Value: b, Axis: from})
	tail := 0 // the output's axes that are rows or columns
	if q >= 2 {
		tieAll(c, op.Axis{Value: b, Axis: q - 1}, op.Axis{Value: y, Axis: r - 1})
		c.Filters(op.Axis{Value: b, Axis: q - 1})
		tail++
	}
	if p >= 2 {
		tail++
		tieAll(c, op.Axis{Value: a, Axis: p - 2}, op.Axis{Value: y, Axis: r - tail})
		if a.Const != nil {
			c.Filters(op.Axis{Value: a, Axis: p - 2})
		}
	}
	for _, v := range []*onnxio.Value{a, b} {
		lead := len(v.Shape) - 2
		for i := range max(lead, 0) {
			x, z := op.Axis{Value: v, Axis: i}, op.Axis{Value: y, Axis: r - tail - lead + i}
			if x.Size() == z.Size() {
				tieAll(c, x, z)
			} else {
				c.Pin(x, onesAxis)
			}
		}
	}
}

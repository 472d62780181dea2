package bound

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/onnxio"
)

// What bounds take of memory, in float64s. All of it follows from the sizes of values, which the file decides, and the budget is asked before.
const (
	// perElement is the state of an element in a pass: box, magnitudes, m, four numbers of lines, intercept, error, three of scratch.
	perElement = 12
	// perConstant and perPlace are what a compiled node keeps of constants (weights, in two layouts) and of each place of its inputs and outputs
	// (indices, orders, sparse maps).
	perConstant, perPlace = 2, 4
	// rowCopies is how often rows over a value are in memory while they pass a node.
	rowCopies = 4
)

// ask asks for what a node's maps take, before they are made, and looks whether the context has ended.
func (c *compiler) ask(n *onnxio.Node) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	floats := int64(0)
	for _, v := range n.Inputs {
		switch {
		case v == nil:
		case v.Const != nil:
			floats += perConstant * int64(v.Const.Len())
		default:
			floats += perPlace * int64(onnxio.NumElements(v.Shape))
		}
	}
	for _, v := range n.Outputs {
		if v != nil {
			floats += perPlace * int64(onnxio.NumElements(v.Shape))
		}
	}
	return budget.Hold(c.room, c.net, fmt.Sprintf("bounds of node %q (%s)", n.Name, n.Op), 8*floats)
}

// ask asks for the pass' states.
func (p *pass) ask() error {
	floats := int64(0)
	for _, v := range p.net.values {
		floats += perElement * int64(v.n)
	}
	return budget.Hold(p.net.room, p, fmt.Sprintf("a pass of bounds over %d input sets", p.n), 8*floats*int64(p.n))
}

// fit makes a piece of rows small enough for what the budget has left.
func (p *pass) fit(size *int, widest int) error {
	row := 8 * rowCopies * int64(widest) * int64(len(p.work))
	*size = int(max(1, min(int64(*size), p.net.room.Left()/row)))
	return p.net.room.Ask("rows of bounds", row*int64(*size))
}

// askForms asks for the linear forms of a node that mixes elements, before they are made.
func (p *pass) askForms(v *value) error {
	const bytes = 2 * 16 // lower and upper: a coefficient, an index and an input
	need := float64(bytes) * float64(v.n) * float64(max(2, v.lin.Terms))
	return p.net.room.Ask(fmt.Sprintf("linear forms of node %q (%s)", v.node.Name, v.node.Op), int64(min(need, 1<<62)))
}

package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

const wholeBlocks = "its weights of few bits can be cut in whole blocks only where scales have an axis for them"

// coupleMatMulNBits ties rows of packed weights, each a filter, to the last axis of the output, and blocks of them to the slots of the first
// input that they multiply: what is summed over goes in whole blocks, and where zero points of several blocks share a byte, in whole bytes.
func coupleMatMulNBits(n *onnxio.Node, c op.Coupler) {
	x, y, w, scales, zeros := n.Inputs[0], n.Outputs[0], n.Inputs[1], n.Inputs[2], n.Input(3)
	f, err := readFewBits(n)
	if err != nil || len(w.Shape) != 3 || w.Shape[0] != f.rows || w.Shape[1] != f.blocks || w.Shape[2]*8 != f.block*f.bits {
		for _, v := range append(append([]*onnxio.Value{}, n.Inputs...), y) {
			pinEach(c, v, "its weights are packed in an order of their own", nil)
		}
		return
	}
	last := op.Axis{Value: x, Axis: len(x.Shape) - 1}
	tieEach(c, x, y, func(axis int) bool { return axis == last.Axis })
	filters, blocks := op.Axis{Value: w, Axis: 0}, op.Axis{Value: w, Axis: 1}
	made := op.Axis{Value: y, Axis: len(y.Shape) - 1}
	tieAll(c, filters, made)
	tieBroadcast(c, n.Input(5), y)
	c.PackedFilters(filters, func(i int) []float64 {
		row := make([]float64, f.cols)
		for k := range row {
			row[k] = f.weight(i, k)
		}
		return row
	})
	c.Ends(last)
	c.Ends(blocks)
	for i := range f.cols {
		c.Tie(last, i, blocks, i/f.block)
	}
	c.Pin(op.Axis{Value: w, Axis: 2}, "it lies within blocks")
	coupleOfBlocks(c, scales, made, blocks, 1)
	if zeros != nil {
		each := 1 // blocks in an element
		if !zeros.DType.IsFloat() {
			each = 8 / f.bits
		}
		coupleOfBlocks(c, zeros, made, blocks, each)
	}
}

// coupleOfBlocks ties v, which holds an element for each few blocks of each row, to both.
func coupleOfBlocks(c op.Coupler, v *onnxio.Value, rows, blocks op.Axis, each int) {
	line := (blocks.Size() + each - 1) / each
	switch {
	case len(v.Shape) == 2 && v.Shape[0] == rows.Size() && v.Shape[1] == line:
		tieAll(c, op.Axis{Value: v, Axis: 0}, rows)
		for k := range blocks.Size() {
			c.Tie(blocks, k, op.Axis{Value: v, Axis: 1}, k/each)
		}
	case len(v.Shape) == 1 && v.Shape[0] == rows.Size()*line:
		for i := range v.Shape[0] {
			c.Tie(op.Axis{Value: v, Axis: 0}, i, rows, i/line)
		}
		c.Pin(blocks, wholeBlocks)
	default:
		pinEach(c, v, "it is of a shape of its own", nil)
		c.Pin(rows, "its scales are of a shape of their own")
		c.Pin(blocks, wholeBlocks)
	}
}

// adaptMatMulNBits counts the rows and columns that stay.
func adaptMatMulNBits(n *onnxio.Node, a op.Adapter) error {
	x := n.Inputs[0]
	rows, cols := len(a.Kept(op.Axis{Value: n.Inputs[1], Axis: 0})), len(a.Kept(op.Axis{Value: x, Axis: len(x.Shape) - 1}))
	if rows != n.Attrs.Int("N", 0) {
		a.SetAttr("N", int64(rows))
	}
	if cols != n.Attrs.Int("K", 0) {
		a.SetAttr("K", int64(cols))
	}
	return nil
}

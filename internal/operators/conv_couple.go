package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

func beyondChannels(axis int) bool { return axis < 2 }

// coupleConv ties input channels to the weights' second axis and output channels to the first and the bias. With groups a removed slot is
// a whole group: its input channels, its filters and its output channels, so that all groups stay of one size. Where two nodes group the
// same channels differently, what goes together is what the ties connect: the common refinement.
func coupleConv(n *onnxio.Node, c op.Coupler) {
	x, w, y := n.Inputs[0], n.Inputs[1], n.Outputs[0]
	coupleChannels(c, x, w, y, op.Axis{Value: w, Axis: 0}, op.Axis{Value: w, Axis: 1}, n.Attrs.Int("group", 1))
	c.Filters(op.Axis{Value: w, Axis: 0})
	if b := n.Input(2); b != nil {
		tieAll(c, op.Axis{Value: b, Axis: 0}, op.Axis{Value: y, Axis: 1})
	}
}

// coupleChannels ties the channels of images x and y to the weights' axes: out holds filters (with groups: the axis that the groups cut),
// in their depth.
func coupleChannels(c op.Coupler, x, w, y *onnxio.Value, out, in op.Axis, groups int) {
	for _, v := range []*onnxio.Value{x, w, y} {
		pinEach(c, v, spatialAxis, beyondChannels)
	}
	tieAll(c, op.Axis{Value: x, Axis: 0}, op.Axis{Value: y, Axis: 0})
	if groups <= 1 {
		c.Ends(op.Axis{Value: x, Axis: 1})
		c.Ends(in)
		tieAll(c, op.Axis{Value: x, Axis: 1}, in)
		tieAll(c, op.Axis{Value: y, Axis: 1}, out)
		return
	}
	c.Pin(in, "it lies within groups")
	for _, a := range []op.Axis{{Value: x, Axis: 1}, {Value: y, Axis: 1}, out} {
		tieBlocks(c, a, op.Axis{Value: x, Axis: 1}, groups)
	}
}

// tieBlocks cuts two axes into as many blocks each, and ties all of a block's slots to those of the other's.
func tieBlocks(c op.Coupler, a, b op.Axis, blocks int) {
	if blocks < 1 || a.Size() < blocks || b.Size() < blocks {
		c.Pin(a, "it is not of whole groups")
		c.Pin(b, "it is not of whole groups")
		return
	}
	size, other := a.Size()/blocks, b.Size()/blocks
	for i := range a.Size() {
		c.Tie(a, i, b, i/size*other)
	}
	for i := range b.Size() {
		c.Tie(b, i, a, i/other*size)
	}
}

// adaptGroups counts the groups that stay.
func adaptGroups(n *onnxio.Node, a op.Adapter) error {
	groups := n.Attrs.Int("group", 1)
	if groups <= 1 {
		return nil
	}
	x := op.Axis{Value: n.Inputs[0], Axis: 1}
	if x.Size() == 0 {
		return nil
	}
	if now := len(a.Kept(x)) * groups / x.Size(); now != groups {
		a.SetAttr("group", int64(now))
	}
	return nil
}

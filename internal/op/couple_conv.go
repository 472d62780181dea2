package op

import "github.com/shallow-waters/shoal/onnxio"

func beyondChannels(axis int) bool { return axis < 2 }

// coupleConv ties input channels to the weights' second axis and output channels to the first and the bias. With groups a removed slot is
// a whole group: its input channels, its filters and its output channels, so that all groups stay of one size. Where two nodes group the
// same channels differently, what goes together is what the ties connect: the common refinement.
func coupleConv(n *onnxio.Node, c Coupler) {
	x, w, y := n.Inputs[0], n.Inputs[1], n.Outputs[0]
	coupleChannels(c, x, w, y, Axis{w, 0}, Axis{w, 1}, n.Attrs.Int("group", 1))
	c.Filters(Axis{w, 0})
	if b := n.Input(2); b != nil {
		tieAll(c, Axis{b, 0}, Axis{y, 1})
	}
}

// coupleConvTranspose is coupleConv with the weights the other way round: inputs first, then outputs within a group.
func coupleConvTranspose(n *onnxio.Node, c Coupler) {
	x, w, y := n.Inputs[0], n.Inputs[1], n.Outputs[0]
	groups := n.Attrs.Int("group", 1)
	if groups == 1 {
		coupleChannels(c, x, w, y, Axis{w, 1}, Axis{w, 0}, 1)
		c.Filters(Axis{w, 1})
	} else {
		// A group's weights are a run of the first axis, as with Conv, though the run has the length of the group's inputs.
		coupleChannels(c, x, w, y, Axis{w, 0}, Axis{w, 1}, groups)
		c.Filters(Axis{w, 0})
	}
	if b := n.Input(2); b != nil {
		tieAll(c, Axis{b, 0}, Axis{y, 1})
	}
}

// coupleChannels ties the channels of images x and y to the weights' axes: out holds filters (with groups: the axis that the groups cut),
// in their depth.
func coupleChannels(c Coupler, x, w, y *onnxio.Value, out, in Axis, groups int) {
	for _, v := range []*onnxio.Value{x, w, y} {
		pinEach(c, v, spatialAxis, beyondChannels)
	}
	tieAll(c, Axis{x, 0}, Axis{y, 0})
	if groups <= 1 {
		c.Ends(Axis{x, 1})
		tieAll(c, Axis{x, 1}, in)
		tieAll(c, Axis{y, 1}, out)
		return
	}
	c.Pin(in, "it lies within groups")
	for _, a := range []Axis{{x, 1}, {y, 1}, out} {
		tieBlocks(c, a, Axis{x, 1}, groups)
	}
}

// tieBlocks cuts two axes into as many blocks each, and ties all of a block's slots to those of the other's.
func tieBlocks(c Coupler, a, b Axis, blocks int) {
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
func adaptGroups(n *onnxio.Node, a Adapter) error {
	groups := n.Attrs.Int("group", 1)
	if groups <= 1 {
		return nil
	}
	x := Axis{n.Inputs[0], 1}
	if x.Size() == 0 {
		return nil
	}
	if now := len(a.Kept(x)) * groups / x.Size(); now != groups {
		a.SetAttr("group", int64(now))
	}
	return nil
}

// coupleImage is the Couple face of operators that work on each channel's image by itself.
func coupleImage(n *onnxio.Node, c Coupler) {
	x, y := n.Inputs[0], n.Outputs[0]
	tieEach(c, x, y, func(axis int) bool { return axis >= 2 })
	for _, v := range []*onnxio.Value{x, y} {
		pinEach(c, v, spatialAxis, beyondChannels)
	}
	for _, v := range n.Inputs[1:] {
		pinEach(c, v, "it is an argument of "+n.Op, nil)
	}
	for _, v := range n.Outputs[1:] { // MaxPool's indices count through all channels
		if v != nil {
			pinEach(c, v, "it holds places in the whole tensor", nil)
			pinEach(c, x, "output "+v.Name+" holds places in the whole tensor", nil)
		}
	}
}

package op

import "github.com/shallow-waters/shoal/onnxio"

func coupleBatchnorm(n *onnxio.Node, c Coupler) {
	x, y := n.Inputs[0], n.Outputs[0]
	tieEach(c, x, y, nil)
	for _, v := range n.Inputs[1:] {
		tieAll(c, Axis{v, 0}, Axis{y, 1})
	}
	for _, v := range n.Outputs[1:] {
		pinEach(c, v, "it belongs to training", nil)
	}
	c.Scales(Axis{n.Inputs[1], 0})
}

// coupleGroupNorm: channels that share a mean go together; with InstanceNormalization each has its own.
func coupleGroupNorm(n *onnxio.Node, c Coupler) {
	x, y := n.Inputs[0], n.Outputs[0]
	tieEach(c, x, y, func(axis int) bool { return axis >= 2 })
	pinEach(c, x, spatialAxis, beyondChannels)
	pinEach(c, y, spatialAxis, beyondChannels)
	groups := x.Shape[1]
	if n.Op == "GroupNormalization" {
		groups = n.Attrs.Int("num_groups", 1)
	}
	tieBlocks(c, Axis{x, 1}, Axis{y, 1}, groups)
	for _, v := range n.Inputs[1:min(3, len(n.Inputs))] {
		if v == nil {
			continue
		}
		if v.Shape[0] == x.Shape[1] {
			tieAll(c, Axis{v, 0}, Axis{x, 1})
		} else { // one number for each group, before opset 21
			tieBlocks(c, Axis{v, 0}, Axis{x, 1}, groups)
		}
	}
	c.Scales(Axis{n.Inputs[1], 0})
}

func adaptGroupNorm(n *onnxio.Node, a Adapter) error {
	x := Axis{n.Inputs[0], 1}
	if groups := n.Attrs.Int("num_groups", 0); n.Op == "GroupNormalization" && groups > 0 && x.Size() > 0 {
		if now := len(a.Kept(x)) * groups / x.Size(); now != groups {
			a.SetAttr("num_groups", int64(now))
		}
	}
	return nil
}

// coupleFromAxis is the Couple face of operators that mix all axes from `axis` on: these are pinned.
func coupleFromAxis(n *onnxio.Node, c Coupler) {
	x := n.Inputs[0]
	axis, err := normalAxis(n.Attrs.Int("axis", -1), max(len(x.Shape), 1))
	if err != nil {
		axis = 0
	}
	coupleMixed(n, c, func(i int) bool { return i >= axis })
}

// coupleOverAxis is the Couple face of Softmax and its kin: the axis is pinned, before opset 13 all from it on.
func coupleOverAxis(n *onnxio.Node, c Coupler) {
	x := n.Inputs[0]
	def := 1
	if n.Opset >= 13 {
		def = -1
	}
	at := n.Attrs.Int("axis", def)
	axis, err := normalAxis(at, max(len(x.Shape), 1))
	coupleMixed(n, c, func(i int) bool { return err != nil || i == axis || n.Opset < 13 && i > axis })
}

// coupleMixed pins the axes that an operator mixes and ties the others.
func coupleMixed(n *onnxio.Node, c Coupler, mixed func(axis int) bool) {
	why := n.Op + " mixes its elements"
	x := n.Inputs[0]
	pinEach(c, x, why, func(i int) bool { return !mixed(i) })
	for k, v := range n.Outputs {
		if k > 0 {
			pinEach(c, v, why, nil)
			continue
		}
		tieEach(c, x, v, mixed)
		pinEach(c, v, why, func(i int) bool { return !mixed(i) })
	}
	for _, v := range n.Inputs[1:] {
		pinEach(c, v, why, nil)
	}
}

// coupleLRN: a channel's neighbours are in its sum.
func coupleLRN(n *onnxio.Node, c Coupler) { coupleMixed(n, c, func(i int) bool { return i == 1 }) }

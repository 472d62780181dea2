package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// coupleGroupNorm: channels that share a mean go together; with InstanceNormalization each has its own.
func coupleGroupNorm(n *onnxio.Node, c op.Coupler) {
	x, y := n.Inputs[0], n.Outputs[0]
	tieEach(c, x, y, func(axis int) bool { return axis >= 2 })
	pinEach(c, x, spatialAxis, beyondChannels)
	pinEach(c, y, spatialAxis, beyondChannels)
	groups := x.Shape[1]
	if n.Op == "GroupNormalization" {
		groups = n.Attrs.Int("num_groups", 1)
	}
	tieBlocks(c, op.Axis{Value: x, Axis: 1}, op.Axis{Value: y, Axis: 1}, groups)
	for _, v := range n.Inputs[1:min(3, len(n.Inputs))] {
		if v == nil {
			continue
		}
		if v.Shape[0] == x.Shape[1] {
			tieAll(c, op.Axis{Value: v, Axis: 0}, op.Axis{Value: x, Axis: 1})
		} else { // one number for each group, before opset 21
			tieBlocks(c, op.Axis{Value: v, Axis: 0}, op.Axis{Value: x, Axis: 1}, groups)
		}
	}
	c.Scales(op.Axis{Value: n.Inputs[1], Axis: 0})
}

func adaptGroupNorm(n *onnxio.Node, a op.Adapter) error {
	x := op.Axis{Value: n.Inputs[0], Axis: 1}
	if groups := n.Attrs.Int("num_groups", 0); n.Op == "GroupNormalization" && groups > 0 && x.Size() > 0 {
		if now := len(a.Kept(x)) * groups / x.Size(); now != groups {
			a.SetAttr("num_groups", int64(now))
		}
	}
	return nil
}

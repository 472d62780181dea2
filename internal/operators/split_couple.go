package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// coupleSplit is coupleConcat backwards.
func coupleSplit(n *onnxio.Node, c op.Coupler) {
	x := n.Inputs[0]
	axis, err := normalAxis(n.Attrs.Int("axis", 0), len(x.Shape))
	types, err2 := splitShape(n)
	if err != nil || err2 != nil {
		return
	}
	at := 0
	for k, v := range n.Outputs {
		if v != nil {
			tieEach(c, v, x, func(i int) bool { return i == axis })
			for i := range v.Shape[axis] {
				c.Tie(op.Axis{Value: v, Axis: axis}, i, op.Axis{Value: x, Axis: axis}, at+i)
			}
		}
		at += types[k].Shape[axis]
	}
	pinEach(c, n.Input(1), "it holds sizes", nil)
}

// adaptSplit writes the parts' sizes where they are not what the node says.
func adaptSplit(n *onnxio.Node, a op.Adapter) error {
	x := n.Inputs[0]
	axis, err := normalAxis(n.Attrs.Int("axis", 0), len(x.Shape))
	if err != nil {
		return err
	}
	types, err := splitShape(n)
	if err != nil {
		return err
	}
	kept := a.Kept(op.Axis{Value: x, Axis: axis})
	sizes := make([]int, len(types))
	at, total := 0, 0
	for k, t := range types {
		for _, i := range kept {
			if i >= at && i < at+t.Shape[axis] {
				sizes[k]++
			}
		}
		at += t.Shape[axis]
		total += sizes[k]
	}
	now := currentList(n, a, "split", 1, 13)
	if now == nil { // equal parts
		if equal, err := splitSizes(n, nil, total); err == nil && sameInts(equal, sizes) {
			return nil
		}
		if n.Opset >= 18 && n.Attrs.Has("num_outputs") {
			a.SetAttr("num_outputs", nil)
		}
	}
	setList(n, a, "split", 1, 13, sizes)
	return nil
}

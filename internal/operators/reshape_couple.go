package operators

import (
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// coupleReshape: the elements stay in their order.
func coupleReshape(n *onnxio.Node, c op.Coupler) {
	c.Regroup(axesOf(n.Inputs[0]), axesOf(n.Outputs[0]))
	for _, v := range n.Inputs[1:] {
		pinEach(c, v, "it is an argument of "+n.Op, nil)
	}
}

// adaptReshape writes the sizes that changed into the target. Sizes that the file leaves open stay open: copied with 0 or worked out
// with -1.
func adaptReshape(n *onnxio.Node, a op.Adapter) error {
	x, y := n.Inputs[0], n.Outputs[0]
	now := a.Ints(1)
	in, out := make([]int, len(x.Shape)), make([]int, len(y.Shape))
	for i, axis := range axesOf(x) {
		in[i] = len(a.Kept(axis))
	}
	for i, axis := range axesOf(y) {
		out[i] = len(a.Kept(axis))
	}
	zeros := n.Opset >= 14 && n.Attrs.Int("allowzero", 0) != 0
	if gives(now, in, out, zeros) || len(now) != len(out) {
		return nil
	}
	free := a.Free(1)
	want := slices.Clone(now)
	open := slices.Index(now, -1)
	for i := range want {
		switch {
		case want[i] == -1:
		case want[i] == 0 && !zeros && i < len(in) && in[i] == out[i]:
		case !free[i]:
			want[i] = out[i]
		case i < len(in) && x.Shape[i] == y.Shape[i] && in[i] == out[i] && !zeros:
			want[i] = 0
		case open < 0:
			want[i], open = -1, i
		default:
			return op.Unsupported(n, "Couple", "its target has several sizes that the file leaves open")
		}
	}
	if !gives(want, in, out, zeros) {
		return op.Unsupported(n, "Couple", "its target cannot be written for the smaller channels")
	}
	a.SetInts(1, want)
	return nil
}

// gives tells whether a target makes shape out of shape in.
func gives(target, in, out []int, zeros bool) bool {
	if len(target) != len(out) {
		return false
	}
	open, known := -1, 1
	for i, d := range target {
		switch {
		case d == -1 && open < 0:
			open = i
			continue
		case d == 0 && !zeros && i < len(in):
			d = in[i]
		}
		if d != out[i] {
			return false
		}
		known *= d
	}
	return open < 0 || known*out[open] == product(in)
}

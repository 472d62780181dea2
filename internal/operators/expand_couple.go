package operators

import (
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// coupleExpand ties the sizes that stay; those that x is repeated along are free to go.
func coupleExpand(n *onnxio.Node, c op.Coupler) {
	tieBroadcast(c, n.Inputs[0], n.Outputs[0])
	pinEach(c, n.Input(1), "it is an argument of Expand", nil)
}

func adaptExpand(n *onnxio.Node, a op.Adapter) error {
	x, y := n.Inputs[0], n.Outputs[0]
	now := a.Ints(1)
	want := slices.Clone(now)
	off := len(y.Shape) - len(want)
	for i := range want {
		k := len(a.Kept(op.Axis{Value: y, Axis: off + i}))
		if from := off + i - (len(y.Shape) - len(x.Shape)); want[i] == 1 && from >= 0 && len(a.Kept(op.Axis{Value: x, Axis: from})) == k {
			continue
		}
		if k != y.Shape[off+i] {
			want[i] = k
		}
	}
	if sameInts(now, want) {
		return nil
	}
	if slices.Contains(a.Free(1), true) {
		return op.Unsupported(n, "Couple", "its shape has sizes that the file leaves open")
	}
	a.SetInts(1, want)
	return nil
}

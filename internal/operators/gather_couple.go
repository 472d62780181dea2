package operators

import (
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// coupleGather ties the slots that constant indices choose to those of the output. One index alone keeps its slot; a table of indices keeps
// the axis.
func coupleGather(n *onnxio.Node, c op.Coupler) {
	x, index, y := n.Inputs[0], n.Inputs[1], n.Outputs[0]
	axis, err := normalAxis(n.Attrs.Int("axis", 0), len(x.Shape))
	if err != nil {
		return
	}
	for i := range x.Shape {
		switch {
		case i < axis:
			tieAll(c, op.Axis{Value: x, Axis: i}, op.Axis{Value: y, Axis: i})
		case i > axis:
			tieAll(c, op.Axis{Value: x, Axis: i}, op.Axis{Value: y, Axis: i - 1 + len(index.Shape)})
		}
	}
	at := []int(nil)
	if index.Const != nil && len(index.Shape) <= 1 {
		at, _ = intsOf(index.Const)
	}
	pinEach(c, index, "it holds indices", nil)
	if at == nil {
		c.Pin(op.Axis{Value: x, Axis: axis}, "it is chosen from by indices that depend on data, or by a table of them")
		for i := range index.Shape {
			c.Pin(op.Axis{Value: y, Axis: axis + i}, "it follows a table of indices")
		}
		return
	}
	for k, i := range at {
		if i < 0 && i+x.Shape[axis] >= 0 { // one that lies outside is named as the file has it
			i += x.Shape[axis]
		}
		if len(index.Shape) == 0 {
			c.PinSlot(op.Axis{Value: x, Axis: axis}, i, "it is chosen by name")
		} else {
			c.Tie(op.Axis{Value: x, Axis: axis}, i, op.Axis{Value: y, Axis: axis}, k)
		}
	}
}

// adaptGather drops the indices that go and renumbers the others.
func adaptGather(n *onnxio.Node, a op.Adapter) error {
	x, index := n.Inputs[0], n.Inputs[1]
	axis, err := normalAxis(n.Attrs.Int("axis", 0), len(x.Shape))
	if err != nil {
		return err
	}
	kept := a.Kept(op.Axis{Value: x, Axis: axis})
	if len(kept) == x.Shape[axis] || index.Const == nil {
		return nil
	}
	was, err := intsOf(index.Const)
	if err != nil {
		return err
	}
	want := []int{}
	for _, i := range was {
		if i < 0 {
			i += x.Shape[axis]
		}
		if to, ok := slices.BinarySearch(kept, i); ok {
			want = append(want, to)
		}
	}
	now := a.Ints(1)
	same := len(now) == len(want)
	for k := 0; same && k < len(now); k++ {
		same = now[k] == want[k] || now[k]+len(kept) == want[k]
	}
	if !same {
		a.SetInts(1, want)
	}
	return nil
}

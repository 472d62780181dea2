package operators

import (
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// coupleSlice shifts: the output's slots are a run of the input's. Steps pin.
func coupleSlice(n *onnxio.Node, c op.Coupler) {
	x, y := n.Inputs[0], n.Outputs[0]
	cuts, err := sliceCuts(x.Shape, func(name string, i int) ([]int, error) { return intList(n, name, i, 10) })
	for i := range x.Shape {
		if err != nil || cuts[i].step != 1 {
			c.Pin(op.Axis{Value: x, Axis: i}, "it is sliced with a step")
			c.Pin(op.Axis{Value: y, Axis: i}, "it is sliced with a step")
			continue
		}
		for k := range cuts[i].n {
			c.Tie(op.Axis{Value: x, Axis: i}, cuts[i].start+k, op.Axis{Value: y, Axis: i}, k)
		}
	}
	for _, v := range n.Inputs[1:] {
		pinEach(c, v, "it is an argument of Slice", nil)
	}
}

// adaptSlice moves starts and ends to where the kept slots are now.
func adaptSlice(n *onnxio.Node, a op.Adapter) error {
	x := n.Inputs[0]
	cuts, err := sliceCuts(x.Shape, func(name string, i int) ([]int, error) { return intList(n, name, i, 10) })
	if err != nil {
		return err
	}
	starts, ends := slices.Clone(currentList(n, a, "starts", 1, 10)), slices.Clone(currentList(n, a, "ends", 2, 10))
	axes := currentList(n, a, "axes", 3, 10)
	for k := range starts {
		axis := k
		if axes != nil {
			if axis, err = normalAxis(axes[k], len(x.Shape)); err != nil {
				return err
			}
		}
		kept := a.Kept(op.Axis{Value: x, Axis: axis})
		if len(kept) == x.Shape[axis] {
			continue
		}
		from, to := 0, 0
		for _, i := range kept {
			if i < cuts[axis].start {
				from++
			}
			if i < cuts[axis].start+cuts[axis].n {
				to++
			}
		}
		// What the list says may be right already: counted from the end, or beyond it.
		if place(starts[k], len(kept)) != from {
			starts[k] = from
		}
		if place(ends[k], len(kept)) != to {
			ends[k] = to
		}
	}
	setList(n, a, "starts", 1, 10, starts)
	setList(n, a, "ends", 2, 10, ends)
	return nil
}

// place is where an index of Slice with step 1 points to in an axis of size d.
func place(i, d int) int {
	if i < 0 {
		i += d
	}
	return min(max(i, 0), d)
}

package operators

import (
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// couplePad shifts: what is padded with constants may go like any other slot, where it lies beside channels that go. Modes that repeat
// elements, and cuts, pin their axes.
func couplePad(n *onnxio.Node, c op.Coupler) {
	x, y := n.Inputs[0], n.Outputs[0]
	pads, err := padOf(n)
	for i, d := range x.Shape {
		plain := err == nil && (pads[i] == 0 && pads[len(x.Shape)+i] == 0 ||
			n.Attrs.String("mode", "constant") == "constant" && pads[i] >= 0 && pads[len(x.Shape)+i] >= 0)
		if !plain {
			c.Pin(op.Axis{Value: x, Axis: i}, "it is padded by other elements, or cut")
			c.Pin(op.Axis{Value: y, Axis: i}, "it is padded by other elements, or cut")
			continue
		}
		for k := range d {
			c.Tie(op.Axis{Value: x, Axis: i}, k, op.Axis{Value: y, Axis: i}, pads[i]+k)
		}
	}
	for _, v := range n.Inputs[1:] {
		pinEach(c, v, "it is an argument of Pad", nil)
	}
}

// adaptPad counts the padding that stays.
func adaptPad(n *onnxio.Node, a op.Adapter) error {
	x, y := n.Inputs[0], n.Outputs[0]
	was, err := padOf(n)
	if err != nil {
		return err
	}
	pads := slices.Clone(currentList(n, a, "pads", 1, 11))
	var axes []int
	if n.Opset >= 18 {
		axes = a.Ints(3)
	}
	rank := len(x.Shape)
	for k := range len(pads) / 2 {
		axis := k
		if axes != nil {
			if axis, err = normalAxis(axes[k], rank); err != nil {
				return err
			}
		}
		lo, hi := was[axis], was[rank+axis]
		if lo == 0 && hi == 0 || len(a.Kept(op.Axis{Value: y, Axis: axis})) == y.Shape[axis] {
			continue
		}
		before, after := 0, 0
		for _, i := range a.Kept(op.Axis{Value: y, Axis: axis}) {
			if i < lo {
				before++
			}
			if i >= y.Shape[axis]-hi {
				after++
			}
		}
		pads[k], pads[len(pads)/2+k] = before, after
	}
	setList(n, a, "pads", 1, 11, pads)
	return nil
}

package operators

import (
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// coupleResize ties the axes that keep their size and are not interpolated.
func coupleResize(n *onnxio.Node, c op.Coupler) {
	x, y := n.Inputs[0], n.Outputs[0]
	a, err := readResize(n, x.Shape)
	for i, d := range x.Shape {
		one := err == nil && i < 2 && y.Shape[i] == d && (a.scales[i] == nil || a.scales[i].IsInt() && a.scales[i].Num().Int64() == 1) &&
			n.Attrs.String("coordinate_transformation_mode", "") != "tf_crop_and_resize"
		if one {
			tieAll(c, op.Axis{Value: x, Axis: i}, op.Axis{Value: y, Axis: i})
		} else {
			c.Pin(op.Axis{Value: x, Axis: i}, spatialAxis)
			c.Pin(op.Axis{Value: y, Axis: i}, spatialAxis)
		}
	}
	for _, v := range n.Inputs[1:] {
		pinEach(c, v, "it is an argument of "+n.Op, nil)
	}
}

// adaptResize writes the sizes, where the node gives sizes and not scales.
func adaptResize(n *onnxio.Node, a op.Adapter) error {
	sizes := a.Ints(3)
	if n.Opset < 11 || n.Op != "Resize" || len(sizes) == 0 {
		return nil
	}
	axes := n.Attrs.Ints("axes")
	want := slices.Clone(sizes)
	for k := range want {
		axis := k
		if axes != nil && n.Opset >= 18 {
			var err error
			if axis, err = normalAxis(axes[k], len(n.Outputs[0].Shape)); err != nil {
				return err
			}
		}
		y := op.Axis{Value: n.Outputs[0], Axis: axis}
		if kept := len(a.Kept(y)); kept != y.Size() {
			want[k] = kept
		}
	}
	if !sameInts(sizes, want) {
		a.SetInts(3, want)
	}
	return nil
}

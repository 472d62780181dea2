package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// Reasons for pins that many operators share.
const (
	spatialAxis = "it is an axis of the image"
	onesAxis    = "it is repeated along the other input"
)

// axesOf lists the axes of a value; none for nil.
func axesOf(v *onnxio.Value) []op.Axis {
	if v == nil {
		return nil
	}
	out := make([]op.Axis, len(v.Shape))
	for i := range out {
		out[i] = op.Axis{Value: v, Axis: i}
	}
	return out
}

// tieAll ties slot by slot two axes of one size.
func tieAll(c op.Coupler, a, b op.Axis) {
	if a.Size() != b.Size() {
		c.Pin(a, onesAxis)
		c.Pin(b, onesAxis)
		return
	}
	for i := range a.Size() {
		c.Tie(a, i, b, i)
	}
}

// tieEach ties the axes of two values of one rank in pairs, those that skip does not name.
func tieEach(c op.Coupler, a, b *onnxio.Value, skip func(axis int) bool) {
	if a == nil || b == nil {
		return
	}
	for i := range a.Shape {
		if i < len(b.Shape) && (skip == nil || !skip(i)) {
			tieAll(c, op.Axis{Value: a, Axis: i}, op.Axis{Value: b, Axis: i})
		}
	}
}

// pinEach pins axes of a value; skip names those that it leaves.
func pinEach(c op.Coupler, v *onnxio.Value, why string, skip func(axis int) bool) {
	for i, a := range axesOf(v) {
		if skip == nil || !skip(i) {
			c.Pin(a, why)
		}
	}
}

// tieBroadcast ties the axes of a value to those of what it is broadcast to.
func tieBroadcast(c op.Coupler, v, to *onnxio.Value) {
	if v == nil {
		return
	}
	off := len(to.Shape) - len(v.Shape)
	for i, d := range v.Shape {
		if off+i < 0 {
			continue
		}
		if d == to.Shape[off+i] {
			tieAll(c, op.Axis{Value: v, Axis: i}, op.Axis{Value: to, Axis: off + i})
		} else {
			c.Pin(op.Axis{Value: v, Axis: i}, onesAxis)
		}
	}
}

// sameInts compares two lists.
func sameInts(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// setList writes a list of integers that was an attribute before the opset `since` and is input i from there on, where it is not what it
// should be.
func setList(n *onnxio.Node, a op.Adapter, name string, i, since int, want []int) {
	if n.Opset < since {
		if !sameInts(n.Attrs.Ints(name), want) {
			a.SetAttr(name, op.Ints64(want))
		}
		return
	}
	if !sameInts(a.Ints(i), want) {
		a.SetInts(i, want)
	}
}

// currentList is the other direction: the list as it is now.
func currentList(n *onnxio.Node, a op.Adapter, name string, i, since int) []int {
	if n.Opset < since {
		return n.Attrs.Ints(name)
	}
	return a.Ints(i)
}

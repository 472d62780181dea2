package op

import "github.com/shallow-waters/shoal/onnxio"

// Axis is one axis of a value. Its indices are the slots that pruning removes or keeps.
type Axis struct {
	Value *onnxio.Value
	Axis  int
}

// Size is the number of slots.
func (a Axis) Size() int { return a.Value.Shape[a.Axis] }

// CoupleFunc tells which slots of a node's inputs and outputs must go together, so that what stays computes what the node computed where
// the removed slots were zero. Shapes are static, and constants are known where they are (see onnxio.Value.Const).
//
// A slot of which a face says nothing may go by itself: the node's result does not depend on it. Where the result depends on it but not when
// it is zero, as a sum does, the face says so with Ends.
type CoupleFunc func(n *onnxio.Node, c Coupler)

// Coupler takes down what the nodes of a graph say. Package prune has it.
type Coupler interface {
	// Tie lets slot i of a and slot j of b go only together.
	Tie(a Axis, i int, b Axis, j int)
	// Pin keeps all slots of an axis, with the reason; PinSlot keeps one.
	Pin(a Axis, why string)
	PinSlot(a Axis, i int, why string)
	// Regroup tells that the elements over axes a of one value are, in row-major order, those over axes b of another.
	Regroup(a, b []Axis)
	// Ends tells that slots of an axis reach other slots of the outputs, in a way that does not miss those that are zero: sums.
	Ends(a Axis)
	// Filters marks an axis of weights whose slots make one channel each; Scales marks the factors of a normalisation. Scores read them.
	Filters(a Axis)
	Scales(a Axis)
}

// AdaptFunc changes attributes and integer inputs of a node to the sizes that its values have after slots were removed. n is the node
// as it was before.
type AdaptFunc func(n *onnxio.Node, a Adapter) error

// Adapter tells what became of the axes of a node's values, and takes the changes. Package prune has it.
type Adapter interface {
	// Kept lists the slots of an axis that stay, in order.
	Kept(a Axis) []int
	// Ints is the constant integer input i as it is now; nil where it is absent.
	Ints(i int) []int
	// Free tells which of these depend on sizes that the file leaves open.
	Free(i int) []bool
	// SetInts gives input i another constant; SetAttr gives an attribute another value.
	SetInts(i int, v []int)
	SetAttr(name string, v any)
}

// Reasons for pins that many operators share.
const (
	spatialAxis = "it is an axis of the image"
	onesAxis    = "it is repeated along the other input"
)

// axesOf lists the axes of a value; none for nil.
func axesOf(v *onnxio.Value) []Axis {
	if v == nil {
		return nil
	}
	out := make([]Axis, len(v.Shape))
	for i := range out {
		out[i] = Axis{v, i}
	}
	return out
}

// tieAll ties slot by slot two axes of one size.
func tieAll(c Coupler, a, b Axis) {
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
func tieEach(c Coupler, a, b *onnxio.Value, skip func(axis int) bool) {
	if a == nil || b == nil {
		return
	}
	for i := range a.Shape {
		if i < len(b.Shape) && (skip == nil || !skip(i)) {
			tieAll(c, Axis{a, i}, Axis{b, i})
		}
	}
}

// pinEach pins axes of a value; skip names those that it leaves.
func pinEach(c Coupler, v *onnxio.Value, why string, skip func(axis int) bool) {
	for i, a := range axesOf(v) {
		if skip == nil || !skip(i) {
			c.Pin(a, why)
		}
	}
}

// tieBroadcast ties the axes of a value to those of what it is broadcast to.
func tieBroadcast(c Coupler, v, to *onnxio.Value) {
	if v == nil {
		return
	}
	off := len(to.Shape) - len(v.Shape)
	for i, d := range v.Shape {
		if off+i < 0 {
			continue
		}
		if d == to.Shape[off+i] {
			tieAll(c, Axis{v, i}, Axis{to, off + i})
		} else {
			c.Pin(Axis{v, i}, onesAxis)
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
func setList(n *onnxio.Node, a Adapter, name string, i, since int, want []int) {
	if n.Opset < since {
		if !sameInts(n.Attrs.Ints(name), want) {
			a.SetAttr(name, ints64(want))
		}
		return
	}
	if !sameInts(a.Ints(i), want) {
		a.SetInts(i, want)
	}
}

// currentList is the other direction: the list as it is now.
func currentList(n *onnxio.Node, a Adapter, name string, i, since int) []int {
	if n.Opset < since {
		return n.Attrs.Ints(name)
	}
	return a.Ints(i)
}

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
	// Quantised tells that the node takes the integers of v for scale·(v − zero): where they are zero, a slot is as one of real numbers is at 0,
	// for Ends and Zero too. zero is nil for 0. What has one entry is for all of v; what has several, for the slots of an axis. Where v and zero
	// are both made by the node, slots that are 0 in its inputs are at the zero point in v.
	Quantised(v, scale, zero *onnxio.Value, axis int)
	// Filters marks an axis of weights whose slots make one channel each; Scales marks the factors of a normalisation. Scores read them.
	Filters(a Axis)
	Scales(a Axis)
	// PackedFilters is Filters for weights whose elements are no numbers: filter gives those of a slot.
	PackedFilters(a Axis, filter func(slot int) []float64)
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

package op

import (
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

// Def is an operator with all its faces. A nil face means that shoal cannot do that with the operator; callers answer
// with an onnxio.UnsupportedError that names node, operator and face.
type Def struct {
	Name   string
	Domain string // "" for the standard's own
	// Since is the lowest opset of the domain at which this definition reads the operator right. shoal supports opsets
	// from 7 (the first with today's broadcasting) to MaxOpset; a definition reads n.Opset where forms differ.
	Since int
	// Through is the newest opset whose form of the operator this definition knows, where that is not MaxOpset: a form that came later
	// is refused.
	Through int
	// Attrs are all attributes that the faces read, with the values that they take. Lookup refuses a node that has another one.
	Attrs Attributes

	// Shape gives types and static shapes of all outputs. Inputs' shapes are static; inputs' Const is set where known.
	Shape func(n *onnxio.Node) ([]Type, error)
	// Eval computes the outputs. See Call.
	Eval func(c *Call) error
	// Fast, where set, prepares a node of static shapes for many runs; nil where Eval is as good. See Fast.
	Fast func(n *onnxio.Node, r *FastRequest) *Fast
	// AnyOrder tells that an output element depends only on the input elements at its own place (after broadcasting), and that Eval
	// takes shapes from its tensors alone: it is then right in any order of elements that the inputs share.
	AnyOrder bool
	// Copies tells that a node's first output is its first input; nil for never.
	Copies func(n *onnxio.Node) bool
	// SameNumbers tells that the first output has the numbers of the first input in their order, in whatever shape.
	SameNumbers bool
	// OfShape tells that the outputs depend on the shapes of the inputs alone.
	OfShape bool
	// OnlyType are the inputs of which nothing but the type counts: the output is constant where the others are.
	OnlyType []int
	// Source tells that a node may have no inputs.
	Source bool
	// NoFold keeps a node of constant inputs from being folded (random operators).
	NoFold bool

	// Parts writes a node in other operators: one value for each of its outputs, nil for those that it does not make. Who prepares a graph puts the
	// parts in the node's place, so that every face is theirs; the file keeps the node. An operator with parts may leave out all other faces but
	// Couple.
	Parts func(e *Emitter, n *onnxio.Node) []*onnxio.Value
	// Least is how many inputs an operator outside the standard needs for its parts; 0 stands for one.
	Least int
	// Whole tells of an operator with Parts whether its own faces treat a node; nil for never.
	Whole func(n *onnxio.Node) bool
	// Steps tells of an operator with Parts that it is run whole, and bounded and differentiated by its parts: see infer.Options.
	Steps bool
	// Fused tells that runtimes may compute the whole otherwise than its parts, so that what is known of the parts' float32 executions says nothing of
	// it.
	Fused bool

	// Hinges writes a node's first output in hinges (Relu), squares and straight nodes, over the real numbers: what searches can split, where of the
	// node itself they cannot. nil for a node that is as well split as it stands.
	Hinges func(e *Emitter, n *onnxio.Node) *onnxio.Value

	// Gradient emits dL/dinputs as nodes of standard operators.
	Gradient GradientFunc
	// Interval gives a box that holds every output for inputs in the given boxes, rounding included (see Box).
	// nil where Linear describes an affine operator: its box follows from the map.
	Interval func(n *onnxio.Node, in []relax.Box) ([]relax.Box, error)
	// Linear describes the operator to the relaxing domains. Called once per node when a network is compiled.
	Linear func(n *onnxio.Node) (*Linear, error)

	// Wraps tells what results are on integers. See Wrap.
	Wraps Wrap
	whole *Def // by which nodes of integers are bounded; nil where that is this one

	// Rising tells that a node's output, element by element of its one variable input, does not decrease where that increases. nil for not known.
	Rising func(n *onnxio.Node) bool
	// Zero tells when slots of the output are zero. See Zero.
	Zero Zero
	// FeaturesLast tells that what a node's weights make lies along the last axis of the output, and not along axis 1.
	FeaturesLast bool

	// Couple tells which slots of inputs and outputs go together when channels are removed. Adapt then changes the node itself; nil
	// where nothing of it speaks of sizes.
	Couple CoupleFunc
	Adapt  AdaptFunc
	// Departs tells in what onnxruntime computes a node of static shapes otherwise than the standard says; "" for nothing. nil for never.
	// The faces follow n.Reading.
	Departs func(n *onnxio.Node) string
	// Varies tells in what onnxruntime's own answer differs from processor to processor, as Departs does; no face follows that, and under onnxruntime's
	// reading such a node has no bounds. nil for never.
	Varies func(n *onnxio.Node) string
	// MACs counts the multiply-adds of a node whose shapes are static, as the literature does: those of products of matrices and of
	// convolutions, without biases. nil for none.
	MACs func(n *onnxio.Node) int
	// ZeroPoints are the inputs that say which integer stands for 0: part of a type, and no weights.
	ZeroPoints []int
}

// Type is an output's element type and static shape.
type Type struct {
	DType onnxio.DType
	Shape []int
}

// MaxOpset is the newest version of the standard's operators that the definitions were written against.
const MaxOpset = 28

// MinOpset is the oldest: opset 7 brought today's broadcasting.
const MinOpset = 7

// Zero tells when an output is zero in a slot (an index along an axis that the Couple face ties to axes of inputs).
type Zero int

const (
	// ZeroUnknown is that of operators of which nothing is known.
	ZeroUnknown Zero = iota
	// ZeroKept is zero in a slot where all inputs that have the slot are zero in it.
	ZeroKept
	// ZeroSummed is as ZeroKept, and inputs that do not have the slot are added.
	ZeroSummed
	// ZeroOfOne is zero where one input that has the slot is.
	ZeroOfOne
)

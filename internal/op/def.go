package op

import (
	"sort"

	"github.com/shallow-waters/shoal/internal/affine"
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
	// NoFold keeps a node of constant inputs from being folded (random operators).
	NoFold bool

	// Gradient emits dL/dinputs as nodes of standard operators.
	Gradient GradientFunc
	// Interval gives a box that holds every output for inputs in the given boxes, rounding included (see Box).
	// nil where Linear describes an affine operator: its box follows from the map.
	Interval func(n *onnxio.Node, in []Box) ([]Box, error)
	// Linear describes the operator to the relaxing domains. Called once per node when a network is compiled.
	Linear func(n *onnxio.Node) (*Linear, error)

	// Couple tells which slots of inputs and outputs go together when channels are removed. Adapt then changes the node itself; nil
	// where nothing of it speaks of sizes.
	Couple CoupleFunc
	Adapt  AdaptFunc
	// Departs tells in what onnxruntime computes a node of static shapes otherwise than the standard says; "" for nothing. nil for never.
	// The faces follow n.Reading.
	Departs func(n *onnxio.Node) string
	// MACs counts the multiply-adds of a node whose shapes are static, as the literature does: those of products of matrices and of
	// convolutions, without biases. nil for none.
	MACs func(n *onnxio.Node) int
}

// Type is an output's element type and static shape.
type Type struct {
	DType onnxio.DType
	Shape []int
}

// Box bounds every element of a tensor: Lower[i] <= x[i] <= Upper[i], flat in row-major order. A constant has
// Lower == Upper (they may share memory). Results must hold for the real function on every point of the input boxes,
// so each float64 operation's rounding is directed outward (see Down and Up) or added.
type Box struct{ Lower, Upper []float64 }

// Linear is what the relaxing domains see of an operator. Exactly one of Maps, Lines and Relax is set.
//
// Maps: the node is affine in its non-constant inputs: y = sum_k Maps[k](x_k) + Bias. Maps[k] is nil for constant or
// absent inputs. All maps take and give flat row-major (ONNX order) tensors of the values' static shapes, except that
// affine.Conv describes its own geometry. Bias is nil for zero.
//
// Lines: elementwise in the single non-constant input x (input index Input): two lines per element. Domains call it, and Interval, with
// elements in the order in which they keep them, so the function must be the same for all of them; where it is not (constants that
// differ from channel to channel) Relax gives the lines as forms (linesAsForms).
//
// Relax: several inputs or several elements into one: lower and upper linear forms per output element.
//
// Lines and Relax describe the first output; of others, domains know the box.
type Linear struct {
	Maps []affine.Map
	Bias []float64
	// PerOutput replaces Maps for nodes with several outputs: PerOutput[o][k] is output o's map of input k. Bias is then nil.
	PerOutput [][]affine.Map
	// RelErr is the relative error of the maps' and the bias' coefficients where they could not be given exactly (1/3): the
	// true coefficient is within RelErr*|c| of c. BiasErr adds an absolute error per output element; nil for none.
	RelErr  float64
	BiasErr []float64

	Input int
	Lines LinesFunc

	Relax RelaxFunc

	// Execution is what a float32 execution may be off the real function. A face that leaves it out is refused under float32.
	Execution Execution

	// Window, with Relax, tells that all terms of an output lie in a window of the one input image, channel by channel, so
	// that rows need not become dense. Both values are images.
	Window *Window
}

// Window is the geometry of a pooling operator on one image of C channels.
type Window struct {
	C, H, W, OH, OW      int
	KH, KW               int
	StrideH, StrideW     int
	DilationH, DilationW int
	PadTop, PadLeft      int
}

// Slope chooses the lower line of an unstable piecewise linear neuron.
type Slope int

const (
	// SlopeAdaptive takes 1 where u > -l, else 0 (DeepPoly; CROWN).
	SlopeAdaptive Slope = iota
	// SlopeParallel takes u/(u-l) below as above (Fast-Lin; Wong and Kolter).
	SlopeParallel
)

// LinesFunc writes for every element i two lines that hold on [l[i], u[i]]:
//
//	LoSlope[i]*x + LoIcept[i] <= f(x) <= UpSlope[i]*x + UpIcept[i]
//
// for every real x in the interval, with the slopes and intercepts taken as the exact values of the float64s written:
// rounding is already directed into the intercepts.
type LinesFunc func(s Slope, l, u []float64, out *Lines)

// Lines holds two lines per element, flat.
type Lines struct{ LoSlope, LoIcept, UpSlope, UpIcept []float64 }

// RelaxFunc gives lower and upper linear forms of every output element over the input boxes (indexed like the node's
// inputs; constants have Lower == Upper).
type RelaxFunc func(s Slope, in []Box) (*Relaxation, error)

// Relaxation: for output element i, with terms t in [Start[i], Start[i+1]),
//
//	sum Coef[t] * x_{Input[t]}[Index[t]] + Const[i]  is a bound (lower or upper) of y[i].
//
// Input is nil if all terms are of input 0.
type Relaxation struct{ Lower, Upper Forms }

// Forms is a sparse matrix of linear forms with a constant each (compressed rows).
type Forms struct {
	Start []int32
	Input []int32
	Index []int32
	Coef  []float64
	Const []float64
}

// MaxOpset is the newest version of the standard's operators that the definitions were written against.
const MaxOpset = 28

// MinOpset is the oldest: opset 7 brought today's broadcasting.
const MinOpset = 7

var registry = map[string]*Def{}

func key(domain, name string) string {
	if domain == "" {
		return name
	}
	return domain + "." + name
}

// Register adds an operator; it is called from the operators' init functions and panics on a double.
func Register(d Def) {
	k := key(d.Domain, d.Name)
	if registry[k] != nil {
		panic("op: " + k + " is registered twice")
	}
	if d.Domain == "" && theStandard().forms[d.Name] == nil {
		panic("op: " + k + " is not in standard.txt")
	}
	registry[k] = &d
}

// Lookup returns the definition for a node, or an error that names the node and what is missing: the operator itself, its form at the
// node's opset, or an attribute, value, input or output that the definition does not read. Nobody gets a definition but through it, so that
// no node is run, bounded or pruned with something of it passed over.
func Lookup(n *onnxio.Node) (*Def, error) {
	d := registry[key(n.Domain, n.Op)]
	if d == nil {
		return nil, &onnxio.UnsupportedError{Node: n.Name, Op: n.Op, Domain: n.Domain, Opset: n.Opset}
	}
	if err := d.check(n); err != nil {
		return nil, err
	}
	return d, nil
}

// CheckForm compares a node that has no definition, such as an If, with the standard's form at its opset, as Lookup does for those that have
// one: known are the attributes that stand in attrs.
func CheckForm(n *onnxio.Node, attrs ...string) error {
	d := &Def{Name: n.Op, Domain: n.Domain, Attrs: Attributes{}}
	for _, a := range attrs {
		d.Attrs[a] = anyValue
	}
	return d.check(n)
}

// All returns the definitions by name.
func All() []*Def {
	out := make([]*Def, 0, len(registry))
	for _, d := range registry {
		out = append(out, d)
	}
	sort.Slice(out, func(i, j int) bool { return key(out[i].Domain, out[i].Name) < key(out[j].Domain, out[j].Name) })
	return out
}

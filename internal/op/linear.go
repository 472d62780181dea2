package op

import (
	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/relax"
)

// Linear is what the relaxing domains see of an operator. Exactly one of Maps, Lines and Relax is set.
//
// Maps: the node is affine in its non-constant inputs: y = sum_k Maps[k](x_k) + Bias. Maps[k] is nil for constant or
// absent inputs. All maps take and give flat row-major (ONNX order) tensors of the values' static shapes, except that
// affine.Conv describes its own geometry. Bias is nil for zero.
//
// Lines: elementwise in the single non-constant input x (input index Input): two lines per element. Domains call it, and Interval, with
// elements in the order in which they keep them, so the function must be the same for all of them; where it is not (constants that
// differ from channel to channel) Relax gives the lines as forms (LinesAsForms).
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
	Lines relax.LinesFunc
	// Kink, with Lines, tells that they are those of max(x, 0), of which both sides of 0 are affine: what domains split and choose slopes at.
	Kink bool
	// Family, with Lines of one input and not with Kink, is what Lines chooses from: domains that look for better lines choose from it too. nil where
	// there is nothing to choose, or nobody has written down how.
	Family relax.Family

	Relax relax.RelaxFunc
	// Terms is at most how many terms each form of Relax has; 0 stands for two. Domains ask for their memory before they are made.
	Terms int

	// Factors, with Relax of a product of two inputs that vary, names the element of each that output element i is the product of. nil where the
	// node is no such product. Domains bound products of what is nearly straight together.
	Factors *[2][]int32

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

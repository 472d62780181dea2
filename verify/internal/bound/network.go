package bound

import (
	"sync"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

// kind says how bounds pass a node.
type kind int

const (
	kindInput  kind = iota // a graph input
	kindAffine             // sum of maps of the inputs, and a bias
	kindAct                // elementwise, between two lines
	kindRelax              // between sparse linear forms of the inputs
	kindOpaque             // only its box is known
)

// value is one value of the network, with the step that makes it. Its number is its place in network.values; inputs come
// before what is made of them.
type value struct {
	id    int
	kind  kind
	name  string
	node  *onnxio.Node
	out   int // which output of node
	n     int
	order affine.Order
	in    []int // values that vary, in the order of steps

	// affine
	steps  []affine.Step
	bias   []float64 // in stored order; nil for zero
	terms  int       // terms of one output, bias included
	rel    float64   // relative error of coefficients
	extra  []float64 // absolute error per element, stored order; may be nil
	weight float64   // largest sum of a row's |coefficients|; only with float32 semantics, see measure
	coef   float64   // largest coefficient that a runtime may make by joining layers; the same
	joins  bool      // a scale that a runtime may join with the layer in front of it; the same
	joined int       // that layer, where joins is set
	gamma  float64   // rounding factor of m for real semantics
	gamma3 float64   // and the share of float32 executions

	// act, relax, opaque
	def  *op.Def
	lin  *op.Linear
	exec op.Execution
	part *joined // what a runtime's joining of whole parts of the graph may change; nil for nothing
	relu bool
	// family, of kindAct, is what its lines are chosen from; nil for nothing.
	family relax.Family
	// rising, of kindAct: the function does not decrease.
	rising bool
	args   []int // value of every node input; -1 for a constant

	exact    bool // interval bounds of this value are the true range, given exact inputs
	separate bool // the elements vary independently of each other
}

// copies tells whether the value is its only input under another order or shape: nothing is computed.
func (v *value) copies() bool {
	if v.kind != kindAffine || len(v.steps) != 1 || v.bias != nil || v.rel != 0 || v.extra != nil || !v.exec.Moves() {
		return false
	}
	_, same := v.steps[0].(*affine.SameStep)
	return same
}

func (v *value) unsupported(face, why string) error {
	return v.node.Lacks(face, why)
}

// Network is a graph made ready for bounds.
type Network struct {
	values   []*value
	inputs   []int
	outputs  []int
	nIn      int
	nOut     int
	softmax  bool
	measured sync.Once // see measure
	numbered sync.Once // see hinged
	hingeAt  []int
	hinges   int
	products *products      // nil where there are none, or too many
	room     *budget.Budget // what was in the context when the network was made; passes ask it too
}

func firstStep(v *value) affine.Step {
	if len(v.steps) == 0 {
		return nil
	}
	return v.steps[0]
}

// joined is the error of a value's executions where a runtime computes it in one go from another value: see op.JoinedNorm.
type joined struct {
	from int
	exec op.Execution
}

// nonlinear tells whether bounds of the value rest on those of what enters it.
func (v *value) nonlinear() bool {
	return v.kind == kindAct || v.kind == kindRelax || v.kind == kindOpaque
}

// chosen tells whether the lines of a value may be chosen.
func (v *value) chosen() bool { return v.relu || v.family != nil }

// Inputs is the number of elements of all inputs together.
func (net *Network) Inputs() int { return net.nIn }

// Slots is how many layers of hinges and curves there are.
func (net *Network) Slots() int {
	n := 0
	for _, v := range net.values {
		if v.chosen() {
			n++
		}
	}
	return n
}

// Outputs is the number of elements of all outputs together.
func (net *Network) Outputs() int { return net.nOut }

// InputSizes are the numbers of elements of each input that varies.
func (net *Network) InputSizes() []int {
	var out []int
	for _, id := range net.inputs {
		out = append(out, net.values[id].n)
	}
	return out
}

// SoftmaxDropped tells that a last Softmax or LogSoftmax was left out.
func (net *Network) SoftmaxDropped() bool { return net.softmax }

// Hinged tells whether hinges are all that is not affine.
func (net *Network) Hinged() bool {
	for _, v := range net.values {
		if v.nonlinear() && !v.relu {
			return false
		}
	}
	return true
}

// Told tells whether a search over sides can tell what it finds: rows of products are bounded by more than a certificate can say.
func (net *Network) Told() bool { return net.products == nil }

// Hinges counts the elements of hinges.
func (net *Network) Hinges() int {
	n := 0
	for _, v := range net.values {
		if v.relu {
			n += v.n
		}
	}
	return n
}

// Recorded tells whether a tree of boxes can be kept for certificates: hinges are all that is not affine, and none reads an input, whose lines would
// follow a slice of the box.
func (net *Network) Recorded() bool {
	for _, v := range net.values {
		if v.relu && net.values[v.in[0]].kind == kindInput {
			return false
		}
	}
	return net.Hinged()
}

// Elementwise tells whether all values are affine, or elementwise of others.
func (net *Network) Elementwise() bool {
	for _, v := range net.values {
		if v.nonlinear() && v.kind != kindAct {
			return false
		}
	}
	return true
}

// Neurons counts the elements of all nonlinear values.
func (net *Network) Neurons() int {
	n := 0
	for _, v := range net.values {
		if v.nonlinear() {
			n += v.n
		}
	}
	return n
}

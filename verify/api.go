package verify

import (
	"context"
	"errors"
	"io"
	"math/big"
	"time"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify/internal/bound"
	"github.com/shallow-waters/shoal/verify/internal/search"
)

// Method names a domain of bounds.
type Method string

// The domains, from cheap to tight, and the search. Auto is the ladder of them all: see stages.
const (
	Auto     Method = "auto"
	Interval Method = "interval"
	Symbolic Method = "symbolic"
	FastLin  Method = "fastlin"
	DeepPoly Method = "deeppoly"
	// FastLinPlain is FastLin's recursion as it was published, without anything of intervals: the thesis' measure.
	FastLinPlain Method = "fastlin-plain"
	// Alpha are DeepPoly's bounds with lower slopes that are moved to where bounds are larger, Options.AlphaSteps times; nowhere looser than DeepPoly's.
	Alpha Method = "alpha"
	// Complete is Auto without an end of its own: it splits the input set, or sides of ReLUs where many inputs vary, until every part is decided or
	// the context ends.
	Complete Method = "complete"
)

// Methods lists the names that a method of verification may take.
func Methods() []string { return append(append([]string{"auto"}, Domains()...), "complete") }

// Domains lists the methods that bound linear forms over a box, as Verifier.Bounds does.
func Domains() []string {
	return []string{"interval", "symbolic", "fastlin", "fastlin-plain", "deeppoly", "alpha"}
}

// Semantics says for which executions of the network a bound holds.
type Semantics string

const (
	// Real is the network as a function of real numbers, with the file's weights taken as exact.
	Real Semantics = "real"
	// Float32 covers every float32 execution, in any order of summation. See docs/soundness.md for its limits.
	Float32 Semantics = "float32"
)

// Options configures a Verifier. The zero value is usable.
type Options struct {
	Method    Method    // "" means Auto
	Semantics Semantics // "" means Real
	// Reading is whose word bounds and counterexamples follow where the standard's and onnxruntime's differ (see Info.Departures).
	Reading onnxio.Reading
	// DropSoftmax allows a final Softmax or LogSoftmax to be left out, which keeps every property about the order of outputs and makes
	// its bounds tighter (see Property.Ordered). Info tells whether there was one.
	DropSoftmax bool
	Threads     int // 0 means all cores
	MemoryMB    int // working memory for rows per thread; 0 means 256
	AlphaSteps  int // how often Alpha moves the slopes of each row; 0 means 20
	// Within is what Auto spends on a property once deeppoly has left it open, where the context has no deadline: on a longer attack, on slopes, and on
	// the search. 0 means 2 seconds, less than 0 nothing. Radius spends it once for all that it asks.
	Within time.Duration
	// Plain switches off what goes beyond the published domain (intersecting with interval bounds), to compare with
	// other implementations.
	Plain bool
	// Falsifier, where set, is asked for counterexamples once the interval domain has left a box open, before the costlier domains.
	Falsifier Falsifier

	// Record, where set, has the search keep the tree of boxes that it halves while it runs, or what it finds over sides of hinges, for Certificate to
	// write it down: no second search is made then. It gives the file for what memory does not hold, which Certificate closes; it stays open behind a
	// result that no certificate is made of. Kept is what is over the real numbers, of networks of ReLUs. A search over sides does without what a
	// certificate cannot say for a quarter of its time, and so may take longer.
	Record func() (Scratch, error)

	sides bool          // the search takes sides of hinges, however few inputs vary: for tests
	first time.Duration // of its first level, where not the usual: for tests
	rows  bool          // it takes no linear programs from the start: for tests
	// Watch, where set, is told how far a proof is: when a stage begins, and a few times a second while the search is at work. It is called by one
	// goroutine at a time, and must come back soon.
	Watch func(Progress)

	until time.Time        // alpha's end, where it is not the context's
	told  func(search.End) // of its rows over hinges, where somebody listens
}

// Falsifier searches counterexamples; who stands above plugs an attack in.
type Falsifier interface {
	// Falsify looks for points of the box whose outputs meet all constraints of a case. Points are candidates: the verifier rounds them
	// into the box in float32 and runs the network before they count. Finding nothing is no error. When the context ends it returns. An error ends no
	// proof: it stands in the result's Reason.
	Falsify(ctx context.Context, box Box, cases [][]Constraint) ([][]float64, error)
}

// Persistent is a Falsifier that can be asked once more: Persist looks at other points than Falsify did, for about so long.
type Persistent interface {
	Falsifier
	Persist(ctx context.Context, box Box, cases [][]Constraint, d time.Duration) ([][]float64, error)
}

// Scratch is a file for what a search keeps.
type Scratch interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
}

// Box is a set of inputs: Lower[i] <= x[i] <= Upper[i], flat in the model's input order (several inputs one behind the
// other), in units of the model's input.
type Box = bound.Box

// Constraint is sum Coef[k]*y[Index[k]] <= Bound (or < if Strict) over the flat outputs.
type Constraint struct {
	Index  []int
	Coef   []*big.Rat
	Bound  *big.Rat
	Strict bool
}

// Case is one way to violate a property: an input in the box whose outputs meet all constraints.
//
// Box must contain the true input set; Inner, where set, is contained in it (they differ where a decimal number has no float64).
// Counterexamples are taken from Inner only. Inner nil means Box is exact.
type Case struct {
	Box         Box
	Inner       *Box
	Constraints []Constraint

	fault error // why this is no question; asking it gives the error
	all   int   // how many outputs the model has, where the property is of all of them; else 0
}

// Property holds if no case can be met. An empty list of cases holds trivially, as VNN-LIB has it; Robust never gives one.
type Property struct{ Cases []Case }

// Verdict is the answer to a property.
type Verdict string

const (
	Verified  Verdict = "verified"
	Falsified Verdict = "falsified"
	Unknown   Verdict = "unknown"
)

// Counterexample is a float32 input inside the box and the outputs that the Go engine gave for it, in the type of the file's
// outputs; where these are no numbers, the centres of the real outputs' bounds.
type Counterexample struct {
	Inputs  []float32 `json:"inputs"`
	Outputs []float64 `json:"outputs"`
	// Nearest tells that the box holds no float32: Inputs lie next to a real point in it that is proven by bounds to be one.
	Nearest bool `json:"nearest,omitempty"`
}

// Result is a verdict with its grounds.
type Result struct {
	Verdict Verdict
	// Reason says in words why: what was missing for a proof, where a counterexample came from, which domain proved it.
	Reason string
	// Margin is the smallest lower bound that Method proved over the cases that were left to it, each of the best constraint's left side minus its
	// bound: positive where proven. It is one method's, so that margins of one Method may be compared from box to box; those of two say nothing beside
	// each other. Of Complete it is the least over the parts, each only as far as it was proven. NaN if no bound was computed.
	Margin         float64
	Counterexample *Counterexample
	// FalsifiedIn says what a counterexample refutes: Real where it is proven over the real numbers, Float32 where an execution alone
	// meets the case, and nothing is proven of the real network there. Empty unless Falsified.
	FalsifiedIn Semantics
	Method      Method // the domain that gave the margin; what was asked for where there is none
	Timeout     bool   // the context's end ended the work; Margin is then what was proven by then
	// Rungs are the stages that the property went through, in their order.
	Rungs   []Rung
	Seconds float64

	trees []*tree     // that the search kept, see Options.Record
	sides []*sideTree // what it found instead, where it was over sides
}

// Progress is how far the work is.
type Progress struct {
	Stage   string
	Seconds float64 // of the stage so far
	// Of the search alone: the share of the input set, or of the tree, that is proven, the parts that are open, how many were bounded so far, and the
	// least bound of an open one (NaN where nothing is known).
	Proven      float64
	Open, Parts int
	Worst       float64
}

// Rung is a stage on the way to a verdict.
type Rung struct {
	Name    string  `json:"rung"`
	Seconds float64 `json:"seconds"` // properties that are asked together share a stage's time
	Open    int     `json:"open"`    // cases that are open behind it; 0 where it decided
}

// Refutes tells whether the result falsifies the property under the given semantics: a float32 execution alone does not refute what is asked of
// the real network. "" means Real.
func (r Result) Refutes(s Semantics) bool {
	return r.Verdict == Falsified && (r.FalsifiedIn == Real || s == Float32)
}

// Info describes a compiled network for reports.
type Info struct {
	Inputs, Outputs int
	InputShape      []int // static shape of the first input, batch 1
	OutputShape     []int
	SoftmaxDropped  bool // the last layer was a Softmax or LogSoftmax; bounds are of its input (argmax is the same)
	// Departures are the nodes that onnxruntime computes otherwise than the standard says. Proofs and counterexamples are of
	// Options.Reading.
	Departures []Departure
	// Widened are the types of half precision that the file computes in, by name. Proofs and counterexamples are of the network that computes in
	// their stead with real numbers, or float32: constants and casts are of the file's type, and what nodes give is not rounded to it.
	Widened []string
	Neurons int // nonlinear elements
}

// Departure is a node that onnxruntime computes otherwise than the standard says, or of which the standard says nothing. Why goes on after
// the word onnxruntime.
type Departure struct {
	Node string `json:"node"`
	Op   string `json:"op"`
	Why  string `json:"why"`
	// Varies tells that onnxruntime's own answer differs from processor to processor: its reading is then refused.
	Varies bool `json:"varies,omitempty"`
}

// BoundsResult answers Verifier.Bounds.
type BoundsResult struct {
	Lower   []float64
	Reason  string // why nothing is known of float32 executions; empty where bounds hold. Lower is then -Inf
	Seconds float64
	Layers  []LayerBounds
}

// LayerBounds are the bounds of the input of one activation layer, in ONNX order.
type LayerBounds struct {
	Node         string
	Op           string
	Lower, Upper []float64
}

// RadiusOptions configures a search for certified radii.
type RadiusOptions struct {
	Max float64 // largest radius tried; must be > 0
	Tol float64 // the bracket's final width; 0 means Max/1000
	// Break, where set, is asked for the smallest eps that an attack falsifies (+Inf for none), once bounds have had their say and before complete
	// proofs narrow what is between. It is given what is proven and what is falsified by then.
	Break func(ctx context.Context, proven, upper float64) (float64, error)
}

// ErrInput is wrapped by errors that the caller's box, rows or property cause.
var ErrInput = errors.New("bad input")

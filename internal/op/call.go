package op

import (
	"github.com/shallow-waters/shoal/internal/kernel"
	"github.com/shallow-waters/shoal/onnxio"
)

// Call is one evaluation of a node.
//
// In holds the inputs (nil where absent), Out the outputs (nil where nobody reads them). Outputs are allocated by the
// caller with the inferred types and shapes and may hold garbage; Eval must write every element and must not keep or
// resize them. In and Out never share memory. In float64 runs every float32 tensor of the graph is float64 instead:
// Eval works on the type of its data, not on the declared one.
//
// Eval is single-threaded; the engine runs samples side by side.
type Call struct {
	Node *onnxio.Node
	In   []*onnxio.Tensor
	Out  []*onnxio.Tensor

	// State belongs to this node within one worker and lives from run to run: Eval may keep there what can be prepared once
	// (packed weights of constant inputs, index tables). It is nil at the first call.
	State any

	// Work lends scratch memory for the time of one call.
	Work *Workspace
}

// Const tells whether input i is the same tensor in every run, so that what is derived from it may be kept in State.
func (c *Call) Const(i int) bool { return c.Node.ConstInput(i) != nil }

// Workspace is scratch memory that grows to the largest request and is then reused. Not safe for concurrent use.
type Workspace struct {
	f32 []float32
	f64 []float64
	// Kernel holds the packing buffers of matrix products, shared by all nodes so that they stay in the cache.
	Kernel kernel.Work
}

// Float32 returns n elements with unspecified content, valid until the next call of Float32.
func (w *Workspace) Float32(n int) []float32 {
	if cap(w.f32) < n {
		w.f32 = make([]float32, n)
	}
	return w.f32[:n]
}

// Float64 returns n elements with unspecified content, valid until the next call of Float64.
func (w *Workspace) Float64(n int) []float64 {
	if cap(w.f64) < n {
		w.f64 = make([]float64, n)
	}
	return w.f64[:n]
}

// Scratch returns n elements of the workspace of type T.
func Scratch[T float32 | float64](w *Workspace, n int) []T {
	var zero T
	switch any(zero).(type) {
	case float32:
		return any(w.Float32(n)).([]T)
	default:
		return any(w.Float64(n)).([]T)
	}
}

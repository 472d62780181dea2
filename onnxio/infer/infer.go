// Package infer makes a loaded graph ready to run or to verify: sizes bound, shapes inferred, constants folded, exporters' noise
// removed.
package infer

import (
	"errors"

	"github.com/shallow-waters/shoal/onnxio"
)

// Options says how symbolic sizes are bound and what is simplified.
type Options struct {
	// Batch is bound to the symbolic (or unknown) first dimension of every graph input; 0 means 1.
	Batch int
	// Dims binds other symbolic sizes by name.
	Dims map[string]int
	// Float64 turns every float32 value and constant of the graph into float64, so that an engine computes in float64.
	Float64 bool
	// FoldBatchNorm allows BatchNormalization to be folded into a convolution or Gemm before it (changes rounding; the
	// verifier does not use it).
	FoldBatchNorm bool
}

// Prepare returns a copy of g in which every value has a static shape, everything constant is folded, and Identity, Dropout and dead
// nodes are gone. The error names the node.
func Prepare(g *onnxio.Graph, o Options) (*onnxio.Graph, error) {
	return nil, errors.New("being written")
}

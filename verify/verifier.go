package verify

import (
	"context"
	"errors"

	"github.com/shallow-waters/shoal/onnxio"
)

// Verifier proves properties of one network. Safe for concurrent use.
type Verifier struct{ info Info }

var errLater = errors.New("verify: being written")

// Open compiles the model with batch size 1. The error names the node that cannot be treated (*onnxio.UnsupportedError).
// dropSoftmax allows a final Softmax to be left out, which keeps every property about the order of outputs.
func Open(ctx context.Context, m *onnxio.Model, o Options, dropSoftmax bool) (*Verifier, error) {
	return nil, errLater
}

// Info describes the network.
func (v *Verifier) Info() Info { return v.info }

// Verify answers one property. A cancelled context or passed deadline gives Unknown with Timeout set, not an error.
func (v *Verifier) Verify(ctx context.Context, p Property) (Result, error) { return Result{}, errLater }

// Radius finds for one point the largest eps for which property(eps) is proven. property must be monotone: a larger eps has
// larger boxes. The answer is always a proven value (0 if nothing is); upper is the smallest eps known to be falsified (+Inf if none).
func (v *Verifier) Radius(ctx context.Context, property func(eps float64) Property, o RadiusOptions) (radius, upper float64, err error) {
	return 0, 0, errLater
}

// Bounds gives sound lower bounds of rows*y over a box. rows are over the flat outputs.
func (v *Verifier) Bounds(ctx context.Context, box Box, rows [][]float64, layers bool) (*BoundsResult, error) {
	return nil, errLater
}

// Predict runs the float32 Go engine on one input (flat, in the model's order) and returns its outputs.
func (v *Verifier) Predict(ctx context.Context, x []float32) ([]float32, error) { return nil, errLater }

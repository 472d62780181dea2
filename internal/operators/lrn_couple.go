package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// coupleLRN: a channel's neighbours are in its sum.
func coupleLRN(n *onnxio.Node, c op.Coupler) { coupleMixed(n, c, func(i int) bool { return i == 1 }) }

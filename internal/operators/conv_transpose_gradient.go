package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// convTransposeGradient is the convolution whose adjoint the node is.
func convTransposeGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	if e.Wants(n, 1) || e.Wants(n, 2) {
		return e.Refuse(n, "the weights depend on the model's input")
	}
	x, w := n.Inputs[0], n.Inputs[1]
	t, err := transposeWindow(n, x.Shape, w.Shape)
	if err != nil {
		e.Fail(err)
		return nil
	}
	attrs := onnxio.Attrs{"group": int64(t.groups)}
	// The window's input is dy. It is padded so that exactly x's places are computed.
	need := func(out, s, k, d, before, in int) int { return max(0, (out-1)*s+(k-1)*d+1-before-in) }
	t.attributes(attrs, []int{t.top, t.left, need(t.oh, t.sh, t.kh, t.dh, t.top, t.h), need(t.ow, t.sw, t.kw, t.dw, t.left, t.w)})
	dx := e.Op("Conv", attrs, dy[0], w)
	for i := 2; e.Err == nil && i < len(x.Shape); i++ {
		dx = e.Slice(dx, i, 0, x.Shape[i])
	}
	return onlyFirst(dx)
}

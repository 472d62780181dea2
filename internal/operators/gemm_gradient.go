package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// gemmGradient: with Y = alpha*op(A)*op(B) + beta*C, the gradients are products of dY with the other factor.
func gemmGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	a, b := n.Inputs[0], n.Inputs[1]
	ta, tb := n.Attrs.Int("transA", 0) != 0, n.Attrs.Int("transB", 0) != 0
	alpha := n.Attrs.Float("alpha", 1)
	gemm := func(x, y *onnxio.Value, tx, ty bool) *onnxio.Value {
		at := onnxio.Attrs{"alpha": alpha, "transA": bit(tx), "transB": bit(ty)}
		if e.Opset < 11 { // C was needed
			return e.Op("Gemm", at, x, y, e.Reals(x, []float64{0}, 1))
		}
		return e.Op("Gemm", at, x, y)
	}
	dx := make([]*onnxio.Value, len(n.Inputs))
	if e.Wants(n, 0) {
		if ta {
			dx[0] = gemm(b, dy[0], tb, true)
		} else {
			dx[0] = gemm(dy[0], b, false, !tb)
		}
	}
	if e.Wants(n, 1) {
		if tb {
			dx[1] = gemm(dy[0], a, true, ta)
		} else {
			dx[1] = gemm(a, dy[0], !ta, false)
		}
	}
	if e.Wants(n, 2) {
		dx[2] = e.Unbroadcast(e.MulC(dy[0], float64(n.Attrs.Float("beta", 1))), n.Inputs[2].Shape)
	}
	return dx
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

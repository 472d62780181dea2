package op

import (
	"slices"

	"github.com/shallow-waters/shoal/onnxio"
)

// gemmGradient: with Y = alpha*op(A)*op(B) + beta*C, the gradients are products of dY with the other factor.
func gemmGradient(e *Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
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
	if e.wants(n, 0) {
		if ta {
			dx[0] = gemm(b, dy[0], tb, true)
		} else {
			dx[0] = gemm(dy[0], b, false, !tb)
		}
	}
	if e.wants(n, 1) {
		if tb {
			dx[1] = gemm(dy[0], a, true, ta)
		} else {
			dx[1] = gemm(a, dy[0], !ta, false)
		}
	}
	if e.wants(n, 2) {
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

// matmulGradient: dA = dY*B', dB = A'*dY, summed over batches that were repeated. Vectors are matrices of one row or column.
func matmulGradient(e *Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	a, b := n.Inputs[0], n.Inputs[1]
	as, bs := slices.Clone(a.Shape), slices.Clone(b.Shape)
	if len(as) == 1 {
		as = []int{1, as[0]}
	}
	if len(bs) == 1 {
		bs = []int{bs[0], 1}
	}
	batch, err := broadcastShape(as[:len(as)-2], bs[:len(bs)-2])
	if err != nil {
		e.fail(err)
		return nil
	}
	d := e.Reshape(dy[0], append(slices.Clone(batch), as[len(as)-2], bs[len(bs)-1])...)
	turned := func(v *onnxio.Value, shape []int) *onnxio.Value {
		perm := make([]int, len(shape))
		for i := range perm {
			perm[i] = i
		}
		k := len(perm)
		perm[k-1], perm[k-2] = k-2, k-1
		return e.Transpose(e.Reshape(v, shape...), perm...)
	}
	dx := make([]*onnxio.Value, 2)
	if e.wants(n, 0) {
		dx[0] = e.Reshape(e.Unbroadcast(e.Op("MatMul", nil, d, turned(b, bs)), as), a.Shape...)
	}
	if e.wants(n, 1) {
		dx[1] = e.Reshape(e.Unbroadcast(e.Op("MatMul", nil, turned(a, as), d), bs), b.Shape...)
	}
	return dx
}

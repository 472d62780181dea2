package operators

import (
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// matmulGradient: dA = dY*B', dB = A'*dY, summed over batches that were repeated. Vectors are matrices of one row or column.
func matmulGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
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
		e.Fail(err)
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
	switch {
	case !e.Wants(n, 0):
	// by the weights as they lie: a turned copy would be as large again in a file, and in memory
	case b.Const != nil && len(b.Shape) == 2 && bs[1] > 0 && e.Opset >= 11:
		rows := e.Reshape(dy[0], product(dy[0].Shape)/bs[1], bs[1])
		dx[0] = e.Reshape(e.Op("Gemm", onnxio.Attrs{"transB": int64(1)}, rows, b), a.Shape...)
	default:
		dx[0] = e.Reshape(e.Unbroadcast(e.Op("MatMul", nil, d, turned(b, bs)), as), a.Shape...)
	}
	if e.Wants(n, 1) {
		dx[1] = e.Reshape(e.Unbroadcast(e.Op("MatMul", nil, turned(a, as), d), bs), b.Shape...)
	}
	return dx
}

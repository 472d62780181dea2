package operators

import (
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// scatterGradient is the Gradient face of ScatterElements and ScatterND without reduction: dy with zeros where updates went for the data,
// and dy from there for the updates. Indices must be constant.
func scatterGradient(eval func(*op.Call) error) op.GradientFunc {
	return func(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
		if r := n.Attrs.String("reduction", "none"); r != "none" {
			return e.Refuse(n, "reduction "+r)
		}
		if n.ConstInput(1) == nil {
			return e.Refuse(n, "the indices are not constant")
		}
		data, updates := n.Inputs[0], n.Inputs[2]
		numbers := onnxio.NewTensor(onnxio.Int32, updates.Shape...)
		for i, d := 0, numbers.Data.([]int32); i < len(d); i++ {
			d[i] = int32(i + 1)
		}
		out, err := evalOn(n, eval, []*onnxio.Tensor{onnxio.NewTensor(onnxio.Int32, data.Shape...), n.ConstInput(1), numbers}, onnxio.Int32)
		if err != nil {
			e.Fail(err)
			return nil
		}
		from := out[0].Data.([]int32)
		dx := make([]*onnxio.Value, 3)
		if e.Wants(n, 0) {
			keep := make([]float64, len(from))
			for i, k := range from {
				if k == 0 {
					keep[i] = 1
				}
			}
			dx[0] = e.Mul(dy[0], e.Reals(data, keep, data.Shape...))
		}
		if e.Wants(n, 2) {
			at := slices.Repeat([]int{len(from)}, product(updates.Shape)) // an update that another one covers reads the zero behind the end
			for i, k := range from {
				if k > 0 {
					at[k-1] = i
				}
			}
			flat := e.Concat(0, e.Reshape(dy[0], len(from)), e.Zeros(data, 1))
			dx[2] = e.Reshape(e.Op("Gather", onnxio.Attrs{"axis": int64(0)}, flat, e.Ints(at...)), updates.Shape...)
		}
		return dx
	}
}

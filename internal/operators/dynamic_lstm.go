// dynamic_lstm.go — DynamicQuantizeLSTM, opset 1: of com.microsoft, an LSTM whose products are of whole numbers, as a quantiser makes it.

package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var dynamicQuantizeLSTM = ofMicrosoft("DynamicQuantizeLSTM", 3, recurrent.With(op.Attributes{"input_forget": op.OneOf(0)}),
	dynamicLSTMParts)

// dynamicLSTMParts quantises the whole input by its range, and the state at each step by its own; weights are [directions, inputs, 4*hidden], the
// other way round than LSTM's, with a scale and a zero point for each direction or each column.
func dynamicLSTMParts(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
	plain := &onnxio.Node{Name: n.Name, Op: "LSTM", Opset: n.Opset, Attrs: n.Attrs}
	for i := range min(8, len(n.Inputs)) {
		v := n.Inputs[i]
		if i == 1 || i == 2 {
			if v == nil || len(v.Shape) != 3 {
				return refuseParts(e, n, "weights that have not three axes")
			}
			v = &onnxio.Value{Name: v.Name, DType: n.Inputs[0].DType, Shape: []int{v.Shape[0], v.Shape[2], v.Shape[1]}}
		}
		plain.Inputs = append(plain.Inputs, v)
	}
	c, err := readCell(plain, 4, lstmActivations...)
	if err != nil {
		e.Fail(err)
		return nil
	}
	wide := 4 * c.hidden
	product := func(x *onnxio.Value, weights, scale, rows, d int) *onnxio.Value {
		line := func(i int) *onnxio.Value { // one number, or one for each column
			v := n.Input(i)
			if v == nil || e.Err != nil {
				return nil
			}
			if v = e.Slice(v, 0, d, d+1); onnxio.NumElements(v.Shape) == 1 {
				return e.Reshape(v)
			}
			return e.Reshape(v, wide)
		}
		if n.Input(scale) == nil {
			e.Fail(op.Refuse(n, "no scale of its weights"))
			return nil
		}
		q := e.Outputs("DynamicQuantizeLinear", 3, nil, x)
		if e.Err != nil {
			return nil
		}
		in := []*onnxio.Value{q[0], ofDirection(e, n, weights, d, rows, wide), q[2]}
		if zero := line(scale + 1); zero != nil {
			in = append(in, zero)
		}
		return e.Mul(castTo(e, e.Op("MatMulInteger", nil, in...), onnxio.Float), e.Mul(q[1], line(scale)))
	}
	return c.turns(e, plain, lstmParts, func(d int) cellProducts {
		return cellProducts{input: product(n.Inputs[0], 1, 8, c.in, d), state: func(h *onnxio.Value, _, _ int) *onnxio.Value {
			return product(h, 2, 10, c.hidden, d)
		}}
	})
}

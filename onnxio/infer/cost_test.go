package infer_test

import (
	"context"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/infer"
)

// TestProductsAreCounted: every operator that multiplies with weights counts them and what it multiplies, whatever type they are of; zero points,
// places and sizes are no weights. Wanted numbers are written out by hand.
func TestProductsAreCounted(t *testing.T) {
	constant := func(d onnxio.DType, shape ...int) *onnxio.Value {
		return &onnxio.Value{Name: "c" + d.String(), DType: d, Const: onnxio.NewTensor(d, shape...), Shape: shape}
	}
	one := func(d onnxio.DType) *onnxio.Value { return constant(d) }
	const i8, u8, i32, f = onnxio.Int8, onnxio.Uint8, onnxio.Int32, onnxio.Float
	for _, c := range []struct {
		op           string
		attrs        onnxio.Attrs
		in           onnxio.DType
		shape        []int
		rest         []*onnxio.Value
		params, macs int
	}{
		{"MatMul", nil, f, []int{2, 3}, []*onnxio.Value{constant(f, 3, 5)}, 15, 2 * 3 * 5},
		{"MatMulInteger", nil, u8, []int{2, 3}, []*onnxio.Value{constant(i8, 3, 5), one(u8), constant(i8, 5)}, 15, 2 * 3 * 5},
		{"QLinearMatMul", nil, u8, []int{2, 3}, []*onnxio.Value{one(f), one(u8), constant(i8, 3, 5), one(f), one(i8), one(f), one(u8)}, 15 + 3, 2 * 3 * 5},
		{"ConvInteger", nil, u8, []int{1, 2, 4, 4}, []*onnxio.Value{constant(i8, 3, 2, 3, 3), one(u8), one(i8)}, 54, 3 * 2 * 2 * 18},
		{"QLinearConv", nil, u8, []int{1, 2, 4, 4},
			[]*onnxio.Value{one(f), one(u8), constant(i8, 3, 2, 3, 3), one(f), one(i8), one(f), one(u8), constant(i32, 3)}, 54 + 3 + 3, 3 * 2 * 2 * 18},
		{"Einsum", onnxio.Attrs{"equation": "bij,jk->bik"}, f, []int{2, 3, 4}, []*onnxio.Value{constant(f, 4, 5)}, 20, 2 * 3 * 4 * 5},
		{"LSTM", onnxio.Attrs{"hidden_size": int64(3)}, f, []int{5, 2, 4}, []*onnxio.Value{constant(f, 1, 12, 4), constant(f, 1, 12, 3)}, 48 + 36,
			5 * 2 * 12 * 7},
		{"GRU", onnxio.Attrs{"hidden_size": int64(3), "direction": "bidirectional"}, f, []int{5, 2, 4},
			[]*onnxio.Value{constant(f, 2, 9, 4), constant(f, 2, 9, 3)}, 72 + 54, 2 * 5 * 2 * 9 * 7},
		{"RNN", onnxio.Attrs{"hidden_size": int64(3)}, f, []int{5, 2, 4}, []*onnxio.Value{constant(f, 1, 3, 4), constant(f, 1, 3, 3)}, 12 + 9,
			5 * 2 * 3 * 7},
		{"Gather", nil, onnxio.Int64, []int{2, 3}, []*onnxio.Value{constant(i8, 10, 4)}, 40, 0}, // a quantised table, which comes first
		{"Gather", nil, f, []int{2, 3}, []*onnxio.Value{constant(onnxio.Int64, 2)}, 0, 0},
	} {
		x := &onnxio.Value{Name: "x", DType: c.in, HasShape: true}
		for _, d := range c.shape {
			x.Dims = append(x.Dims, onnxio.Dim{Size: d})
		}
		in := append([]*onnxio.Value{x}, c.rest...)
		if c.op == "Gather" && c.in == onnxio.Int64 {
			in[0], in[1] = in[1], in[0]
		}
		for i, v := range in[1:] {
			if v.Const != nil {
				v.Name += string(rune('a' + i))
			}
		}
		n := &onnxio.Node{Name: "n", Op: c.op, Opset: 13, Attrs: c.attrs, Inputs: in}
		y := &onnxio.Value{Name: "y", Producer: n}
		n.Outputs = []*onnxio.Value{y}
		g := &onnxio.Graph{Name: "g", Nodes: []*onnxio.Node{n}, Inputs: []*onnxio.Value{x}, Outputs: []*onnxio.Value{y}}
		p, err := infer.Prepare(context.Background(), g, infer.Options{})
		if err != nil {
			t.Errorf("%s: %v", c.op, err)
			continue
		}
		var got infer.Cost
		for _, x := range infer.Costs(p) {
			got.Parameters += x.Parameters
			got.MACs += x.MACs
		}
		if got.Parameters != c.params || got.MACs != c.macs {
			t.Errorf("%s: %d parameters and %d multiply-adds, want %d and %d", c.op, got.Parameters, got.MACs, c.params, c.macs)
		}
	}
}

package operators

import (
	"testing"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// BenchmarkWindows measures convolutions, products and pools in float32; MB/s reads as multiply-adds per microsecond.
func BenchmarkWindows(b *testing.B) {
	value := func(shape ...int) *onnxio.Value {
		return &onnxio.Value{DType: onnxio.Float, Shape: shape}
	}
	a := func(k, s, p int64) onnxio.Attrs {
		return onnxio.Attrs{"kernel_shape": []int64{k, k}, "strides": []int64{s, s}, "pads": []int64{p, p, p, p}, "group": int64(1)}
	}
	depth := a(3, 1, 1)
	depth["group"] = int64(64)
	for _, c := range []struct {
		name string
		op   string
		attr onnxio.Attrs
		in   []*onnxio.Value
		work int
	}{
		{"conv 3x3", "Conv", a(3, 1, 1), []*onnxio.Value{value(1, 64, 56, 56), value(64, 64, 3, 3), value(64)}, 64 * 64 * 9 * 56 * 56},
		{"conv 1x1", "Conv", a(1, 1, 0), []*onnxio.Value{value(1, 64, 56, 56), value(128, 64, 1, 1)}, 64 * 128 * 56 * 56},
		{"conv small", "Conv", a(3, 2, 1), []*onnxio.Value{value(1, 16, 16, 16), value(32, 16, 3, 3), value(32)}, 16 * 32 * 9 * 64},
		{"depthwise 3x3", "Conv", depth, []*onnxio.Value{value(1, 64, 56, 56), value(64, 1, 3, 3), value(64)}, 64 * 9 * 56 * 56},
		{"transposed 4x4", "ConvTranspose", a(4, 2, 1), []*onnxio.Value{value(1, 64, 14, 14), value(64, 32, 4, 4), value(32)}, 64 * 32 * 16 * 14 * 14},
		{"gemm one row", "Gemm", onnxio.Attrs{"transB": int64(1)}, []*onnxio.Value{value(1, 1024), value(512, 1024), value(512)}, 1024 * 512},
		{"matmul", "MatMul", nil, []*onnxio.Value{value(2, 128, 256), value(256, 256)}, 2 * 128 * 256 * 256},
		{"maxpool 2x2", "MaxPool", a(2, 2, 0), []*onnxio.Value{value(1, 64, 56, 56)}, 64 * 56 * 56},
		{"maxpool 3x3", "MaxPool", a(3, 2, 1), []*onnxio.Value{value(1, 64, 56, 56)}, 64 * 9 * 28 * 28},
		{"averagepool 2x2", "AveragePool", a(2, 2, 0), []*onnxio.Value{value(1, 64, 56, 56)}, 64 * 56 * 56},
	} {
		b.Run(c.name, func(b *testing.B) {
			n := &onnxio.Node{Op: c.op, Opset: 13, Attrs: c.attr, Inputs: c.in, Outputs: make([]*onnxio.Value, 1)}
			d := known[c.op]
			types, err := d.Shape(n)
			if err != nil {
				b.Fatal(err)
			}
			call := &op.Call{Node: n, Work: new(op.Workspace), Out: []*onnxio.Tensor{onnxio.NewTensor(types[0].DType, types[0].Shape...)}}
			for _, v := range c.in {
				call.In = append(call.In, onnxio.NewTensor(v.DType, v.Shape...))
			}
			b.SetBytes(int64(c.work))
			b.ReportAllocs()
			for b.Loop() {
				if err := d.Eval(call); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

package operators

import (
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

// BenchmarkEval measures operators whose speed is that of memory; bytes are those of the output.
func BenchmarkEval(b *testing.B) {
	value := func(shape ...int) *onnxio.Value {
		return &onnxio.Value{DType: onnxio.Float, Shape: append([]int{}, shape...)}
	}
	image := []int{1, 64, 56, 56}
	for _, c := range []struct {
		name string
		n    *onnxio.Node
	}{
		{"add", &onnxio.Node{Op: "Add", Opset: 14, Inputs: []*onnxio.Value{value(image...), value(image...)}}},
		{"add channel", &onnxio.Node{Op: "Add", Opset: 14, Inputs: []*onnxio.Value{value(image...), value(64, 1, 1)}}},
		{"mul scalar", &onnxio.Node{Op: "Mul", Opset: 14, Inputs: []*onnxio.Value{value(image...), value()}}},
		{"nchw to nhwc", &onnxio.Node{Op: "Transpose", Opset: 13, Attrs: onnxio.Attrs{"perm": []int64{0, 2, 3, 1}},
			Inputs: []*onnxio.Value{value(image...)}}},
		{"concat", &onnxio.Node{Op: "Concat", Opset: 13, Attrs: onnxio.Attrs{"axis": int64(1)}, Inputs: []*onnxio.Value{value(image...), value(image...)}}},
		{"sigmoid", &onnxio.Node{Op: "Sigmoid", Opset: 13, Inputs: []*onnxio.Value{value(image...)}}},
		{"reduce mean", &onnxio.Node{Op: "ReduceMean", Opset: 13, Attrs: onnxio.Attrs{"axes": []int64{2, 3}}, Inputs: []*onnxio.Value{value(image...)}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			c.n.Outputs = make([]*onnxio.Value, 1)
			d := known[c.n.Op]
			types, err := d.Shape(c.n)
			if err != nil {
				b.Fatal(err)
			}
			call := &op.Call{Node: c.n, Work: new(op.Workspace), Out: []*onnxio.Tensor{onnxio.NewTensor(types[0].DType, types[0].Shape...)}}
			for _, v := range c.n.Inputs {
				call.In = append(call.In, onnxio.NewTensor(v.DType, v.Shape...))
			}
			b.SetBytes(int64(4 * call.Out[0].Len()))
			b.ReportAllocs()
			for b.Loop() {
				if err := d.Eval(call); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSigmoidLines measures 1000 neurons, most of them straddling 0.
func BenchmarkSigmoidLines(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	const n = 1000
	l, u := randoms(rng, n), make([]float64, n)
	for i := range u {
		u[i] = l[i] + 2*rng.Float64()
	}
	out := relax.Lines{LoSlope: make([]float64, n), LoIcept: make([]float64, n), UpSlope: make([]float64, n), UpIcept: make([]float64, n)}
	b.ReportAllocs()
	for b.Loop() {
		sigmoidLines(relax.SlopeAdaptive, l, u, &out)
	}
}

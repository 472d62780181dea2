package verify

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// TestNormalisationInParts writes LayerNormalizations out in parts, as exporters do, on numbers whose mean is large beside their deviation.
// Runtimes join the parts into one operator, and some of these find the variance as the difference of two means: such an execution, in
// float32, must lie within the bounds, and so must those of onnxruntime. That it lies far outside what the real network gives shows that
// the parts' own roundings would not have been enough.
func TestNormalisationInParts(t *testing.T) {
	const size = 8
	rng := rand.New(rand.NewPCG(13, 14))
	far := 0
	for round := range 40 {
		c := func(name string, shape []int, f ...float32) *onnxio.Value {
			return &onnxio.Value{Name: name, DType: onnxio.Float, Shape: shape, HasShape: true, Const: onnxio.FromFloat32(f, shape...)}
		}
		x := &onnxio.Value{Name: "x", DType: onnxio.Float, Shape: []int{1, size}, HasShape: true, Dims: []onnxio.Dim{{Size: 1}, {Size: size}}}
		g := &onnxio.Graph{Inputs: []*onnxio.Value{x}}
		add := func(op string, attrs onnxio.Attrs, shape []int, in ...*onnxio.Value) *onnxio.Value {
			n := &onnxio.Node{Name: fmt.Sprint("n", len(g.Nodes)), Op: op, Opset: 17, Attrs: attrs, Inputs: in}
			y := &onnxio.Value{Name: fmt.Sprint("v", len(g.Nodes)), DType: onnxio.Float, Shape: shape, HasShape: true, Producer: n}
			n.Outputs = []*onnxio.Value{y}
			g.Nodes = append(g.Nodes, n)
			return y
		}
		mean := onnxio.Attrs{"axes": []int64{-1}, "keepdims": int64(1)}
		d := add("Sub", nil, x.Shape, x, add("ReduceMean", mean, []int{1, 1}, x))
		v := add("ReduceMean", mean, []int{1, 1}, add("Pow", nil, x.Shape, d, c("two", nil, 2)))
		root := add("Sqrt", nil, []int{1, 1}, add("Add", nil, []int{1, 1}, v, c("eps", nil, 1e-5)))
		ones, zeros := make([]float32, size), make([]float32, size)
		for i := range ones {
			ones[i] = 1 + rng.Float32()
			zeros[i] = rng.Float32()
		}
		y := add("Add", nil, x.Shape, add("Mul", nil, x.Shape, add("Div", nil, x.Shape, d, root), c("scale", []int{size}, ones...)),
			c("bias", []int{size}, zeros...))
		y.Dims = x.Dims
		g.Outputs = []*onnxio.Value{y}
		m, err := onnxio.NewModel(g, "test")
		if err != nil {
			t.Fatal(err)
		}
		m.Graph.Inputs[0].Shape, m.Graph.Outputs[0].Shape = x.Shape, x.Shape
		runs, _ := executions(t, m.Graph)
		runs = append(runs, execution{name: "one pass", run: func(x []float32) ([]float32, error) { return onePass(x, ones, zeros), nil }})
		var vs [2]*Verifier
		for i, s := range []Semantics{Real, Float32} {
			if vs[i], err = Open(context.Background(), m, Options{Semantics: s}); err != nil {
				t.Fatal(err)
			}
			defer vs[i].Close()
		}
		offset := []float32{0, 1, 30, 300}[round%4]
		in := make([]float32, size)
		box := Box{Lower: make([]float64, size), Upper: make([]float64, size)}
		for i := range in {
			in[i] = offset + 0.3*rng.Float32()
			box.Lower[i], box.Upper[i] = float64(in[i]), float64(in[i])
		}
		real, _, err := boundsOf(vs[0], box, size)
		if err != nil {
			t.Fatal(err)
		}
		for _, method := range []Method{Interval, DeepPoly} {
			vs[1].o.Method = method
			lower, upper, err := boundsOf(vs[1], box, size)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range runs {
				got, err := e.run(in)
				if err != nil {
					t.Fatal(err)
				}
				for i, f := range got {
					if math.IsNaN(float64(f)) && !math.IsInf(upper[i], 1) || float64(f) < lower[i] || float64(f) > upper[i] {
						t.Errorf("round %d, %s: %s gives %v at %v, %s bounds are [%v, %v]", round, e.name, e.name, f, in, method, lower[i], upper[i])
					}
					if diff := float64(f) - real[i]; diff > 1e-3 || diff < -1e-3 {
						far++
					}
				}
			}
		}
	}
	if far == 0 {
		t.Error("no execution was far off: the test shows nothing")
	}
}

// onePass is LayerNormalization from the sums of the numbers and of their squares.
func onePass(x, scale, bias []float32) []float32 {
	var sum, squares float32
	for _, f := range x {
		sum += f
		squares += float32(f * f)
	}
	n := float32(len(x))
	mean := sum / n
	deviation := float32(math.Sqrt(float64(float32(squares/n) - float32(mean*mean) + 1e-5)))
	y := make([]float32, len(x))
	for i, f := range x {
		y[i] = float32(float32((f-mean)/deviation)*scale[i]) + bias[i]
	}
	return y
}

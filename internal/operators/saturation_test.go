package operators

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// TestWeightsThatDoNotSaturate: weights of which nothing is said have no two whose products with any unsigned numbers leave 16 bits together, and
// weights that are named have some.
func TestWeightsThatDoNotSaturate(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 9))
	said := 0
	for range 2000 {
		w := make([]int8, 2+rng.IntN(6))
		most := 40 + rng.IntN(88)
		for i := range w {
			w[i] = int8(rng.IntN(2*most+1) - most)
		}
		wide := false
		for i := range w {
			for j := range i {
				for _, x := range [][2]int{{255, 255}, {255, 0}, {0, 255}} {
					sum := x[0]*int(w[i]) + x[1]*int(w[j])
					wide = wide || sum > math.MaxInt16 || sum < math.MinInt16
					sum = x[0]*int(w[i]) - x[1]*int(w[j]) // the same weights beside others of the other sign
					wide = wide || sum > math.MaxInt16 || sum < math.MinInt16
				}
			}
		}
		x := &onnxio.Value{Name: "x", DType: onnxio.Uint8, Shape: []int{1, len(w)}}
		c := &onnxio.Tensor{DType: onnxio.Int8, Shape: []int{len(w), 1}, Data: w}
		n := &onnxio.Node{Op: "MatMulInteger", Opset: 13, Inputs: []*onnxio.Value{x, {Name: "w", DType: onnxio.Int8, Const: c, Shape: c.Shape}}}
		if got := known["MatMulInteger"].Varies(n) != ""; got != wide {
			t.Fatalf("weights %v: said %v, and products leave 16 bits: %v", w, got, wide)
		}
		if wide {
			said++
		}
	}
	if said < 200 || said > 1800 {
		t.Errorf("%d of 2000 saturate: the test says little", said)
	}
}

// TestProductsThatSaturate: which operands and forms are named.
func TestProductsThatSaturate(t *testing.T) {
	value := func(name string, d onnxio.DType) *onnxio.Value {
		return &onnxio.Value{Name: name, DType: d, Shape: []int{2, 2}}
	}
	weights := func(w ...int8) *onnxio.Value {
		c := &onnxio.Tensor{DType: onnxio.Int8, Shape: []int{2, 2}, Data: w}
		return &onnxio.Value{Name: "w", DType: onnxio.Int8, Const: c, Shape: c.Shape}
	}
	real := func(q *onnxio.Value) *onnxio.Value {
		scale := &onnxio.Value{Name: "s", DType: onnxio.Float, Const: onnxio.FromFloat32([]float32{0.1}), Shape: []int{}}
		n := &onnxio.Node{Op: "DequantizeLinear", Opset: 13, Inputs: []*onnxio.Value{q, scale}}
		v := &onnxio.Value{Name: q.Name + "_real", DType: onnxio.Float, Shape: q.Shape, Producer: n}
		if q.Const != nil {
			v.Const = onnxio.FromFloat32([]float32{1, 2, 3, 4}, 2, 2)
		}
		n.Outputs = []*onnxio.Value{v}
		return v
	}
	u, s, f := value("u", onnxio.Uint8), value("s", onnxio.Int8), value("f", onnxio.Float)
	small, large := weights(1, -64, 64, 3), weights(1, -64, 65, 3)
	for _, c := range []struct {
		op   string
		in   []*onnxio.Value
		want bool
	}{
		{"MatMulInteger", []*onnxio.Value{u, u}, false},
		{"MatMulInteger", []*onnxio.Value{u, s}, true},
		{"MatMulInteger", []*onnxio.Value{s, u}, true},
		{"MatMulInteger", []*onnxio.Value{s, small}, false},
		{"MatMulInteger", []*onnxio.Value{s, large}, true},
		{"ConvInteger", []*onnxio.Value{u, small}, true},
		{"QLinearMatMul", []*onnxio.Value{u, f, u, large}, true},
		{"QLinearMatMul", []*onnxio.Value{u, f, u, small}, false},
		{"QLinearConv", []*onnxio.Value{u, f, u, large}, true},
		{"MatMul", []*onnxio.Value{f, f}, false},
		{"MatMul", []*onnxio.Value{real(u), f}, false},
		{"MatMul", []*onnxio.Value{real(u), real(large)}, true},
		{"MatMul", []*onnxio.Value{real(u), real(small)}, false},
		{"Conv", []*onnxio.Value{real(s), real(large)}, true},
		{"Gemm", []*onnxio.Value{real(u), real(large)}, true},
	} {
		n := &onnxio.Node{Name: "n", Op: c.op, Opset: 13, Inputs: c.in}
		if got := varies(known[c.op], n) != ""; got != c.want {
			t.Errorf("%s of %s and %s: %v, want %v", c.op, c.in[0].Name, c.in[len(c.in)-1].Name, got, c.want)
		}
	}
}

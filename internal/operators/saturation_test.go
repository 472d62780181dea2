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
	few := func(d onnxio.DType) *onnxio.Value {
		v := value("few", d)
		v.Const = &onnxio.Tensor{DType: d, Shape: v.Shape, Data: []int8{1, -2, 1, 0}}
		return v
	}
	turned := func(v *onnxio.Value) *onnxio.Value {
		return &onnxio.Value{Name: "t", DType: v.DType, Shape: v.Shape, Producer: &onnxio.Node{Op: "Transpose", Inputs: []*onnxio.Value{v}}}
	}
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
		{"MatMul", []*onnxio.Value{f, real(small)}, true}, // what is multiplied with it is rounded
		{"Gemm", []*onnxio.Value{f, real(few(onnxio.Int4))}, true},
		{"MatMul", []*onnxio.Value{f, turned(real(few(onnxio.Int2)))}, true},
		{"MatMul", []*onnxio.Value{real(few(onnxio.Int4)), f}, false},
		{"MatMul", []*onnxio.Value{f, real(u)}, false},
		{"Conv", []*onnxio.Value{f, real(small)}, false},
	} {
		n := &onnxio.Node{Name: "n", Op: c.op, Opset: 13, Inputs: c.in}
		if got := varies(known[c.op], n) != ""; got != c.want {
			t.Errorf("%s of %s and %s: %v, want %v", c.op, c.in[0].Name, c.in[len(c.in)-1].Name, got, c.want)
		}
	}
}

// TestRoundedFactorsAreNamedThroughParts: a node that is written in parts for bounds is named where the file says that onnxruntime computes it
// otherwise, and is needed.
func TestRoundedFactorsAreNamedThroughParts(t *testing.T) {
	y := &onnxio.Value{Name: "y"}
	bits := func(level int64) *onnxio.Graph {
		a := onnxio.Attrs{"K": int64(16), "N": int64(1), "bits": int64(4), "block_size": int64(16), "accuracy_level": level}
		return &onnxio.Graph{Nodes: []*onnxio.Node{{Name: "n", Op: "MatMulNBits", Domain: microsoft, Opset: 1, Attrs: a, Outputs: []*onnxio.Value{y},
			Inputs: []*onnxio.Value{{Name: "x"}, {Name: "w"}, {Name: "s"}}}}}
	}
	parts := &onnxio.Graph{Nodes: []*onnxio.Node{{Op: "MatMul", Opset: 13, Inputs: []*onnxio.Value{{Name: "x"}, {Name: "w"}},
		Outputs: []*onnxio.Value{y}}}}
	for _, c := range []struct {
		prepared, file *onnxio.Graph
		want           int
	}{{parts, bits(4), 1}, {parts, bits(1), 0}, {&onnxio.Graph{}, bits(4), 0}} {
		if got := Departures(c.prepared, c.file); len(got) != c.want || c.want > 0 && !got[0].Varies {
			t.Errorf("%v, want %d", got, c.want)
		}
	}
}

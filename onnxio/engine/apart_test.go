package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// free declares the first axis of the inputs that have the first one's size there as the batch, and returns that size.
func free(g *onnxio.Graph) int {
	n := 0
	for _, v := range g.Inputs {
		if v.Const != nil || len(v.Dims) == 0 || !v.Dims[0].Known() {
			continue
		}
		if n == 0 {
			n = v.Dims[0].Size
		}
		if v.Dims[0].Size == n {
			v.Dims = slices.Clone(v.Dims)
			v.Dims[0] = onnxio.Dim{Name: "N", Size: -1}
		}
	}
	for _, v := range g.Outputs {
		v.HasShape, v.Dims = false, nil
	}
	return n
}

// sameCut runs a batch on several threads, which may cut it, and on a graph that takes it whole. It tells whether it was cut.
func sameCut(t *testing.T, name string, g *onnxio.Graph, in []*onnxio.Tensor, maxBatch int) bool {
	t.Helper()
	ctx := context.Background()
	whole, err := OpenGraph(ctx, g.Clone(), Options{Threads: 1, MaxBatch: 1 << 20})
	if err != nil {
		return false
	}
	cut, err := OpenGraph(ctx, g.Clone(), Options{Threads: 4, MaxBatch: maxBatch})
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return false
	}
	want, err := whole.Run(ctx, in)
	if err != nil {
		return false
	}
	got, err := cut.Run(ctx, in)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return false
	}
	for k := range want {
		if !nearly(want[k], got[k]) {
			t.Errorf("%s: output %d of a batch in pieces is %v %.6v, of the whole %v %.6v", name, k, got[k].Shape, got[k].Data, want[k].Shape, want[k].Data)
		}
	}
	n, err := cut.(*goSession).check(in)
	if err != nil || n < 2 {
		return false
	}
	yes, err := cut.(*goSession).cut(ctx, in, n)
	return yes && err == nil
}

func nearly(a, b *onnxio.Tensor) bool {
	v, err := a.Float64s()
	w, err2 := b.Float64s()
	if err != nil || err2 != nil {
		return (err == nil) == (err2 == nil) && fmt.Sprint(a.Data) == fmt.Sprint(b.Data)
	}
	if !slices.Equal(a.Shape, b.Shape) {
		return false
	}
	for i := range v {
		if d := v[i] - w[i]; v[i] != w[i] && (v[i] == v[i] || w[i] == w[i]) && !(d*d <= 1e-10*(1+v[i]*v[i])) { // float32 sums that are cut otherwise
			return false
		}
	}
	return true
}

// TestNodesInPieces runs the node tests in the folders that SHOAL_NODE_TESTS lists with their first axis as the batch, cut for several threads and
// whole.
func TestNodesInPieces(t *testing.T) {
	folders := filepath.SplitList(os.Getenv("SHOAL_NODE_TESTS"))
	if len(folders) == 0 {
		t.Skip("SHOAL_NODE_TESTS names no folder")
	}
	ran, cut := 0, 0
	for _, folder := range folders {
		dirs, _ := filepath.Glob(filepath.Join(folder, "test_*"))
		for _, dir := range dirs {
			m, err := onnxio.Load(filepath.Join(dir, "model.onnx"))
			if err != nil {
				continue
			}
			var all []*onnxio.Tensor
			for i := range m.Graph.Inputs {
				d, err := os.ReadFile(filepath.Join(dir, "test_data_set_0", fmt.Sprintf("input_%d.pb", i)))
				if err != nil {
					break
				}
				x, err := onnxio.ParseTensor(d)
				if err != nil {
					break
				}
				all = append(all, x)
			}
			if len(all) != len(m.Graph.Inputs) {
				continue
			}
			for from := range 2 { // operands as inputs, and as constants
				g := m.Graph.Clone()
				in := all
				if from == 0 && len(all) > 1 {
					in = all[:1]
					for i, v := range g.Inputs[1:] {
						v.Const = all[i+1]
					}
				}
				if free(g) < 2 {
					continue
				}
				ran++
				if sameCut(t, filepath.Base(dir), g, in, 2) {
					cut++
				}
			}
		}
	}
	t.Logf("%d graphs, of which %d were cut", ran, cut)
}

// TestImagesAreCut: what the operators say is enough for the graphs that are run most, and pieces give what the whole does.
func TestImagesAreCut(t *testing.T) {
	for seed := range uint64(150) {
		g := newRandomGraph(seed)
		shape := []int{7}
		for _, d := range g.Inputs[0].Dims[1:] {
			shape = append(shape, d.Size)
		}
		x := onnxio.NewTensor(onnxio.Float, shape...)
		rng := rand.New(rand.NewPCG(seed, 8))
		for i := range x.F32() {
			x.F32()[i] = float32(rng.NormFloat64())
		}
		if !sameCut(t, fmt.Sprint("seed ", seed), g, []*onnxio.Tensor{x}, 2) {
			t.Errorf("seed %d: the batch was not cut", seed)
		}
		s, err := OpenGraph(context.Background(), g, Options{Threads: 2})
		if err != nil {
			t.Fatal(err)
		}
		if v, err := s.(*goSession).said(context.Background(), 7); err != nil || v != apart {
			for _, n := range g.Nodes {
				t.Log(n.Op, n.Attrs)
			}
			t.Errorf("seed %d: operators say %v, %v", seed, v, err)
		}
	}
}

// mixing are graphs of an input x [N,4], by what each does to its samples; false for those that leave them alone.
var mixing = []struct {
	name  string
	mixes bool
	build func(r *randomGraph, x *onnxio.Value) *onnxio.Value
}{
	{"sum over samples", true, func(r *randomGraph, x *onnxio.Value) *onnxio.Value {
		return r.node("Sub", nil, x, r.node("ReduceMean", onnxio.Attrs{"axes": []int64{0}}, x))
	}},
	{"softmax over samples", true, func(r *randomGraph, x *onnxio.Value) *onnxio.Value {
		return r.node("Softmax", onnxio.Attrs{"axis": int64(0)}, x)
	}},
	{"attention between samples", true, func(r *randomGraph, x *onnxio.Value) *onnxio.Value {
		return r.node("MatMul", nil, r.node("MatMul", nil, x, r.node("Transpose", nil, x)), x)
	}},
	{"running sum", true, func(r *randomGraph, x *onnxio.Value) *onnxio.Value {
		return r.node("CumSum", nil, x, r.ints(0))
	}},
	{"the largest", true, func(r *randomGraph, x *onnxio.Value) *onnxio.Value {
		return r.node("Add", nil, x, r.node("ReduceMax", onnxio.Attrs{"keepdims": int64(0)}, x))
	}},
	{"how many", true, func(r *randomGraph, x *onnxio.Value) *onnxio.Value {
		n := r.node("Cast", onnxio.Attrs{"to": int64(1)}, r.node("Gather", nil, r.node("Shape", nil, x), r.ints(0)))
		return r.node("Div", nil, x, n)
	}},
	{"numbered", true, func(r *randomGraph, x *onnxio.Value) *onnxio.Value {
		n := r.node("Squeeze", nil, r.node("Shape", nil, r.node("ReduceSum", onnxio.Attrs{"keepdims": int64(0)}, x, r.ints(1))))
		zero, one := r.ints(0), r.ints(1)
		zero.Const.Shape, one.Const.Shape = []int{}, []int{}
		i := r.node("Unsqueeze", nil, r.node("Cast", onnxio.Attrs{"to": int64(1)}, r.node("Range", nil, zero, n, one)), r.ints(1))
		return r.node("Add", nil, x, i)
	}},
	{"the first of all", true, func(r *randomGraph, x *onnxio.Value) *onnxio.Value {
		return r.node("Sub", nil, x, r.node("Gather", nil, x, r.ints(0)))
	}},
	{"the first three", true, func(r *randomGraph, x *onnxio.Value) *onnxio.Value {
		return r.node("Slice", nil, x, r.ints(0), r.ints(3), r.ints(0))
	}},
	{"turned round", true, func(r *randomGraph, x *onnxio.Value) *onnxio.Value {
		return r.node("Slice", nil, x, r.ints(-1), r.ints(-1<<40), r.ints(0), r.ints(-1))
	}},
	{"sorted", true, func(r *randomGraph, x *onnxio.Value) *onnxio.Value {
		n := r.node("Gather", nil, r.node("Shape", nil, x), r.ints(0))
		v := r.node("TopK", onnxio.Attrs{"axis": int64(0)}, x, n)
		v.Producer.Outputs = append(v.Producer.Outputs, &onnxio.Value{Name: "places", Producer: v.Producer})
		return v
	}},
	{"another axis", true, func(r *randomGraph, x *onnxio.Value) *onnxio.Value {
		return r.node("Transpose", nil, x)
	}},
	{"one number", true, func(r *randomGraph, x *onnxio.Value) *onnxio.Value {
		return r.node("ReduceSum", onnxio.Attrs{"keepdims": int64(0)}, x)
	}},
	{"joined with itself", true, func(r *randomGraph, x *onnxio.Value) *onnxio.Value {
		return r.node("Concat", onnxio.Attrs{"axis": int64(0)}, x, x)
	}},
	{"dynamic quantisation", true, func(r *randomGraph, x *onnxio.Value) *onnxio.Value {
		q := r.node("DynamicQuantizeLinear", nil, x)
		scale, zero := &onnxio.Value{Name: "scale", Producer: q.Producer}, &onnxio.Value{Name: "zero", Producer: q.Producer}
		q.Producer.Outputs = append(q.Producer.Outputs, scale, zero)
		return r.node("DequantizeLinear", nil, q, scale, zero)
	}},
	{"samples as time", true, func(r *randomGraph, x *onnxio.Value) *onnxio.Value {
		y := r.node("GRU", onnxio.Attrs{"hidden_size": int64(3)}, r.node("Unsqueeze", nil, x, r.ints(1)), r.constant(1, 9, 4), r.constant(1, 9, 3))
		return r.node("Squeeze", nil, y, r.ints(1, 2))
	}},
	{"each recurrent by itself", false, func(r *randomGraph, x *onnxio.Value) *onnxio.Value {
		y := r.node("GRU", onnxio.Attrs{"hidden_size": int64(3)}, r.node("Unsqueeze", nil, x, r.ints(0)), r.constant(1, 9, 4), r.constant(1, 9, 3))
		return r.node("Squeeze", nil, y, r.ints(0, 1))
	}},
	{"rows taken together and apart", false, func(r *randomGraph, x *onnxio.Value) *onnxio.Value {
		y := r.node("Reshape", nil, x, r.ints(-1, 2))
		y = r.node("MatMul", nil, y, r.constant(2, 2))
		return r.node("Reshape", nil, y, r.ints(-1, 4))
	}},
	{"a reshape by the number of samples", false, func(r *randomGraph, x *onnxio.Value) *onnxio.Value {
		n := r.node("Gather", nil, r.node("Shape", nil, x), r.ints(0))
		y := r.node("Reshape", nil, x, r.node("Concat", onnxio.Attrs{"axis": int64(0)}, n, r.ints(2, 2)))
		y = r.node("Transpose", onnxio.Attrs{"perm": []int64{0, 2, 1}}, y)
		return r.node("Reshape", nil, y, r.node("Concat", onnxio.Attrs{"axis": int64(0)}, n, r.ints(-1)))
	}},
}

func (r *randomGraph) ints(v ...int64) *onnxio.Value {
	r.n++
	return &onnxio.Value{Name: fmt.Sprint("i", r.n), DType: onnxio.Int64, Const: onnxio.FromInt64(v, len(v))}
}

// TestMixedSamplesStayTogether: what looks across samples gives on many threads what it gives on one that takes all samples at once.
func TestMixedSamplesStayTogether(t *testing.T) {
	for _, c := range mixing {
		r := &randomGraph{rng: rand.New(rand.NewPCG(3, 5)), g: &onnxio.Graph{Name: c.name}}
		x := &onnxio.Value{Name: "x", DType: onnxio.Float, HasShape: true, Dims: []onnxio.Dim{{Name: "N", Size: -1}, {Size: 4}}}
		r.g.Inputs = []*onnxio.Value{x}
		r.g.Outputs = []*onnxio.Value{c.build(r, x)}
		for _, n := range []int{2, 5, 8} {
			in := onnxio.NewTensor(onnxio.Float, n, 4)
			for i := range in.F32() {
				in.F32()[i] = float32(r.rng.NormFloat64())
			}
			if _, err := OpenGraph(context.Background(), r.g, Options{}); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			cut := sameCut(t, c.name, r.g, []*onnxio.Tensor{in}, 2)
			if want := !c.mixes; cut != want && !(n == 2 && c.name == "the first three") {
				t.Errorf("%s, %d samples: cut %v, want %v", c.name, n, cut, want)
			}
		}
	}
}

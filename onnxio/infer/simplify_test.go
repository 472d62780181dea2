package infer_test

import (
	"context"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/onnxio/infer"
)

func outputs(t *testing.T, g *onnxio.Graph, in *onnxio.Tensor) []float64 {
	t.Helper()
	s, err := engine.OpenGraph(context.Background(), g, engine.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out, err := s.Run(context.Background(), []*onnxio.Tensor{in})
	if err != nil {
		t.Fatal(err)
	}
	f, err := out[0].Float64s()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestSimplifiedNetworksComputeTheSame simplifies every exporter's network with its batch free, writes it, reads it again, and runs it on
// batches of several sizes.
func TestSimplifiedNetworksComputeTheSame(t *testing.T) {
	// Nodes before and after, so that a pass that stops working shows.
	nodes := map[string][2]int{
		"cifar-depthwise-ts.onnx":    {30, 19},
		"cifar-residual-dyn.onnx":    {29, 22},
		"fmnist-keras-branches.onnx": {20, 18},
		"fmnist-keras-conv.onnx":     {22, 14},
		"fmnist-mlp-ts.onnx":         {8, 8},
	}
	for name, want := range nodes {
		path := filepath.Join("..", "..", "testdata", name)
		m, err := onnxio.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		ref, err := dataset.ReadNPZ(strings.TrimSuffix(path, ".onnx") + ".npz")
		if err != nil {
			t.Fatal(err)
		}
		before := m.Graph
		g, err := infer.Simplify(context.Background(), before, infer.Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := [2]int{len(before.Nodes), len(g.Nodes)}; got != want {
			t.Errorf("%s: %d nodes become %d, want %d and %d", name, got[0], got[1], want[0], want[1])
		}
		m.Graph = g
		data, err := m.Encode()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		again, err := onnxio.Parse(data, "")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if infer.FixedBatch(before) != infer.FixedBatch(again.Graph) {
			t.Errorf("%s: the batch is no longer free", name)
		}
		each := len(ref["inputs"].Floats) / ref["inputs"].Shape[0]
		for _, n := range []int{1, 2, 5} {
			shape := append([]int{n}, ref["inputs"].Shape[1:]...)
			in := onnxio.FromFloat32(ref["inputs"].Float32s()[:n*each], shape...)
			w, got := outputs(t, before, in), outputs(t, again.Graph, in)
			scale := 0.0
			for _, v := range w {
				scale = max(scale, math.Abs(v))
			}
			for i := range w {
				if !(math.Abs(w[i]-got[i]) <= 1e-5*scale) {
					t.Fatalf("%s: output %d is %v, was %v", name, i, got[i], w[i])
				}
			}
		}
	}
}

// TestSimplifyKeepsTheBatchFree: a Reshape whose target is computed from the batch gets -1 in its place; what a constant cannot say stays.
func TestSimplifyKeepsTheBatchFree(t *testing.T) {
	x := &onnxio.Value{Name: "x", DType: onnxio.Float, HasShape: true, Dims: []onnxio.Dim{{Size: -1, Name: "N"}, {Size: 2}, {Size: 3}}}
	g := &onnxio.Graph{Inputs: []*onnxio.Value{x}}
	add := func(op string, attrs onnxio.Attrs, in ...*onnxio.Value) *onnxio.Value {
		n := &onnxio.Node{Name: op + "_node", Op: op, Opset: 13, Inputs: in, Attrs: attrs}
		v := &onnxio.Value{Name: op, Producer: n}
		n.Outputs = []*onnxio.Value{v}
		g.Nodes = append(g.Nodes, n)
		return v
	}
	constant := func(name string, v ...int64) *onnxio.Value {
		return &onnxio.Value{Name: name, DType: onnxio.Int64, Const: onnxio.FromInt64(v, len(v)), Shape: []int{len(v)}, HasShape: true,
			Dims: []onnxio.Dim{{Size: len(v)}}}
	}
	shape := add("Shape", nil, x)
	batch := add("Slice", nil, shape, constant("zero", 0), constant("one", 1), constant("axis", 0))
	target := add("Concat", onnxio.Attrs{"axis": int64(0)}, batch, constant("six", 6))
	flat := add("Reshape", nil, x, target)
	copies := add("Expand", nil, flat, target) // no constant can say this
	g.Outputs = []*onnxio.Value{copies}
	s, err := infer.Simplify(context.Background(), g, infer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var ops []string
	for _, n := range s.Nodes {
		ops = append(ops, n.Op)
		if n.Op == "Reshape" {
			if c := n.ConstInput(1); c == nil || c.I64()[0] != -1 || c.I64()[1] != 6 {
				t.Errorf("the target of Reshape is %v", c)
			}
		}
	}
	if got := strings.Join(ops, " "); got != "Shape Slice Concat Reshape Expand" {
		t.Errorf("left are %s", got)
	}
	for _, n := range []int{1, 4} {
		in := onnxio.NewTensor(onnxio.Float, n, 2, 3)
		for i := range in.F32() {
			in.F32()[i] = float32(i)
		}
		if got := outputs(t, s, in); len(got) != 6*n || got[len(got)-1] != float64(6*n-1) {
			t.Errorf("batch %d: %v", n, got)
		}
	}
	fixed, err := infer.Simplify(context.Background(), g, infer.Options{Batch: 4})
	if err != nil || len(fixed.Nodes) != 2 {
		t.Errorf("with a batch of 4: %d nodes, %v", len(fixed.Nodes), err)
	}
}

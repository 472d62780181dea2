package attack

import (
	"context"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// TestBatchThatOutputsDoNotFollowStaysFixed: behind a Transpose the first axis is no longer that of the samples, and a Reshape to [1, n] cannot
// be freed; attacks go on with one sample at a time.
func TestBatchThatOutputsDoNotFollowStaysFixed(t *testing.T) {
	for _, features := range []int{1, 2, 3} {
		staysFixed(t, features)
	}
}

func staysFixed(t *testing.T, features int) {
	t.Helper()
	x := &onnxio.Value{Name: "x", DType: onnxio.Float, HasShape: true,
		Dims: []onnxio.Dim{{Size: 1}, {Size: 1}, {Size: 1}}}
	node := func(op string, attrs onnxio.Attrs, in ...*onnxio.Value) *onnxio.Value {
		out := &onnxio.Value{Name: op + "_out", DType: onnxio.Float}
		out.Producer = &onnxio.Node{Name: op, Op: op, Inputs: in, Outputs: []*onnxio.Value{out}, Attrs: attrs, Opset: 13}
		return out
	}
	wide := node("MatMul", nil, x, &onnxio.Value{Name: "w", DType: onnxio.Float, Shape: []int{1, features},
		Const: onnxio.FromFloat32(make([]float32, features), 1, features)})
	turned := node("Transpose", onnxio.Attrs{"perm": []int64{2, 1, 0}}, wide)
	y := node("Reshape", nil, turned, &onnxio.Value{Name: "to", DType: onnxio.Int64, Shape: []int{2}, Const: onnxio.FromInt64([]int64{1, -1}, 2)})
	g := &onnxio.Graph{Name: "turned", Inputs: []*onnxio.Value{x}, Outputs: []*onnxio.Value{y},
		Nodes: []*onnxio.Node{wide.Producer, turned.Producer, y.Producer}}
	if FreeBatch(context.Background(), g) != nil {
		t.Error("the batch was freed:", features)
	}
	m, err := onnxio.NewModel(g, "test")
	if err != nil {
		t.Fatal(err)
	}
	target, err := Open(context.Background(), m, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	if one, err := target.single(context.Background()); err != nil || !one {
		t.Errorf("%d features: samples go together: %v", features, err)
	}
}

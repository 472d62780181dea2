package verify

import (
	"context"
	"math"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify/internal/bound"
)

// TestCeilingIsTheHull: over [-1, 1] x [-1, 1], y = max(0, a + b) lies below a + 1, so that a - y is at least -1, which it is at (1, 1).
// The triangle alone, y <= (a+b)/2 + 1, leaves -2.
func TestCeilingIsTheHull(t *testing.T) {
	value := func(name string, n int) *onnxio.Value {
		return &onnxio.Value{Name: name, DType: onnxio.Float, HasShape: true, Dims: []onnxio.Dim{{Size: 1}, {Size: n}}}
	}
	weights := func(name string, w []float32, rows, cols int) *onnxio.Value {
		return &onnxio.Value{Name: name, DType: onnxio.Float, Const: onnxio.FromFloat32(w, rows, cols)}
	}
	x, h, r, y := value("x", 2), value("h", 2), value("r", 2), value("y", 1)
	// The second hinge is stable, and carries a + 2.
	b := &onnxio.Value{Name: "b", DType: onnxio.Float, Const: onnxio.FromFloat32([]float32{0, 2}, 2)}
	g := &onnxio.Graph{Name: "hull", Inputs: []*onnxio.Value{x}, Outputs: []*onnxio.Value{y}, Nodes: []*onnxio.Node{
		{Name: "in", Op: "Gemm", Opset: 13, Inputs: []*onnxio.Value{x, weights("w", []float32{1, 1, 1, 0}, 2, 2), b}, Outputs: []*onnxio.Value{h},
			Attrs: onnxio.Attrs{"transB": int64(1)}},
		{Name: "relu", Op: "Relu", Opset: 13, Inputs: []*onnxio.Value{h}, Outputs: []*onnxio.Value{r}},
		{Name: "out", Op: "MatMul", Opset: 13, Inputs: []*onnxio.Value{r, weights("v", []float32{-1, 1}, 2, 1)}, Outputs: []*onnxio.Value{y}},
	}}
	for _, n := range g.Nodes {
		n.Outputs[0].Producer = n
	}
	v := openGraph(t, g, Options{Method: DeepPoly, Threads: 1})
	ctx := context.Background()
	bounds, err := bound.DeepPoly.Bound(ctx, v.net, boundOptions(v.o), []bound.Problem{{Box: Box{Lower: []float64{-1, -1}, Upper: []float64{1, 1}}}})
	if err != nil {
		t.Fatal(err)
	}
	defer bounds.Close()
	s := bounds.View()
	for want, ceilings := range map[float64][]bound.Ceiling{
		0: nil,
		1: {{Slot: 0, Elem: 0, Slope: []float64{1, 0}, Times: 1}},
	} {
		l, err := bound.Lay(ctx, []bound.Node{{Of: s, Ceilings: ceilings}}, 1)
		if err != nil {
			t.Fatal(err)
		}
		low, err := l.Lower([][]float64{{1}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		if math.Abs(low[0]-want) > 1e-9 || low[0] > want {
			t.Errorf("%d ceilings: y + 2 >= %v, want %v from below", len(ceilings), low[0], want)
		}
	}
}

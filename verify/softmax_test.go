package verify

import (
	"context"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// TestFinalSoftmaxIsLeftOut: with a last Softmax or LogSoftmax a classifier gets the verdicts and margins of its logits; where it may not be
// left out, or is not the last layer, it stays.
func TestFinalSoftmaxIsLeftOut(t *testing.T) {
	build := func(last string, after string) *onnxio.Model {
		x := &onnxio.Value{Name: "x", DType: onnxio.Float, HasShape: true, Dims: []onnxio.Dim{{Size: -1, Name: "N"}, {Size: 2}}}
		g := &onnxio.Graph{Inputs: []*onnxio.Value{x}}
		v := x
		add := func(op string, in ...*onnxio.Value) {
			n := &onnxio.Node{Name: op, Op: op, Opset: 13, Inputs: append([]*onnxio.Value{v}, in...)}
			v = &onnxio.Value{Name: op + "_out", DType: onnxio.Float, Producer: n}
			n.Outputs = []*onnxio.Value{v}
			g.Nodes = append(g.Nodes, n)
		}
		w := onnxio.FromFloat32([]float32{1, -1, 0.5, 2, 1, -2}, 2, 3)
		add("Gemm", &onnxio.Value{Name: "w", DType: onnxio.Float, Const: w, Shape: w.Shape})
		add("Relu")
		for _, op := range []string{last, after} {
			if op != "" {
				add(op)
			}
		}
		g.Outputs = []*onnxio.Value{v}
		m, err := onnxio.NewModel(g, "test")
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	ball := Ball{Center: []float32{0.9, 0.4}, Eps: 0.05}
	margin := func(m *onnxio.Model) (Verdict, float64) {
		v, err := Open(context.Background(), m, Options{Method: DeepPoly, DropSoftmax: true})
		if err != nil {
			t.Fatal(err)
		}
		r, err := v.Verify(context.Background(), Robust(ball, 0, 3))
		if err != nil {
			t.Fatal(err)
		}
		return r.Verdict, r.Margin
	}
	verdict, want := margin(build("", ""))
	for _, last := range []string{"Softmax", "LogSoftmax"} {
		if got, m := margin(build(last, "")); got != verdict || m != want {
			t.Errorf("%s: %v with margin %v, want %v with %v", last, got, m, verdict, want)
		}
	}
	for _, c := range []struct {
		m    *onnxio.Model
		drop bool
	}{{build("LogSoftmax", "Neg"), true}, {build("LogSoftmax", ""), false}} {
		v, err := Open(context.Background(), c.m, Options{Method: DeepPoly, DropSoftmax: c.drop})
		if err != nil || v.info.SoftmaxDropped {
			t.Errorf("a LogSoftmax that is not the last layer, or may not be left out: %v", err)
		}
	}
	if got, m := margin(build("LogSoftmax", "Neg")); got != Falsified {
		t.Errorf("turned outputs: %v with margin %v", got, m)
	}
}

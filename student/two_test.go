package student

import (
	"context"
	"math"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
)

// TestTwoScoresDecideAsOneDid compares the two logits with the score that they came of: the class at every sample, and the probability of
// class 1 where the classes part at a half.
func TestTwoScoresDecideAsOneDid(t *testing.T) {
	dims := []onnxio.Dim{{Size: -1, Name: "n"}, {Size: 1}}
	for _, c := range []struct {
		last string
		at   float64
	}{{"Sigmoid", 0.5}, {"Sigmoid", 0.9}, {"Relu", 0.25}, {"Tanh", -0.5}} {
		value := func(name string) *onnxio.Value {
			return &onnxio.Value{Name: name, DType: onnxio.Float, HasShape: true, Dims: dims}
		}
		x, z, p := value("x"), value("two/Sub"), value("p") // a name that is to be added too
		twice := &onnxio.Value{Name: "twice", DType: onnxio.Float, Const: onnxio.FromFloat32([]float32{2}, 1)}
		g := &onnxio.Graph{Name: "g", Inputs: []*onnxio.Value{x}, Outputs: []*onnxio.Value{p}, Nodes: []*onnxio.Node{
			{Name: "mul", Op: "Mul", Inputs: []*onnxio.Value{x, twice}, Outputs: []*onnxio.Value{z}, Opset: 17, Attrs: onnxio.Attrs{}},
			{Name: "last", Op: c.last, Inputs: []*onnxio.Value{z}, Outputs: []*onnxio.Value{p}, Opset: 17, Attrs: onnxio.Attrs{}}}}
		z.Producer, p.Producer = g.Nodes[0], g.Nodes[1]
		out, err := TwoScores(g, c.at)
		if err != nil {
			t.Fatal(err)
		}
		run := func(g *onnxio.Graph, data []float32) []float32 {
			m, err := onnxio.NewModel(g, "test")
			if err != nil {
				t.Fatal(err)
			}
			s, err := engine.Open(context.Background(), m, engine.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			y, err := s.Run(context.Background(), []*onnxio.Tensor{onnxio.FromFloat32(data, len(data), 1)})
			if err != nil {
				t.Fatal(err)
			}
			return y[0].F32()
		}
		var data []float32
		for i := -60; i <= 60; i++ {
			data = append(data, float32(i)/16+1e-3)
		}
		one, two := run(g, data), run(out, data)
		if len(two) != 2*len(one) {
			t.Fatalf("%s: %d numbers of %d scores", c.last, len(two), len(one))
		}
		classes := [2]int{}
		for i, score := range one {
			above := 0
			if float64(score) > c.at {
				above = 1
			}
			classes[above]++
			if got := two[2*i+1] > two[2*i]; got != (above == 1) {
				t.Errorf("%s at %v: score %v gives logits %v", c.last, c.at, score, two[2*i:2*i+2])
			}
			if c.last == "Sigmoid" && c.at == 0.5 {
				if q := 1 / (1 + math.Exp(float64(two[2*i]-two[2*i+1]))); math.Abs(q-float64(score)) > 1e-6 {
					t.Errorf("score %v, softmax of the two logits %v", score, q)
				}
			}
		}
		if classes[0] == 0 || classes[1] == 0 {
			t.Errorf("%s at %v: all samples are of one class", c.last, c.at)
		}
	}
	if _, err := TwoScores(&onnxio.Graph{}, 0); err == nil {
		t.Error("a graph without outputs was taken")
	}
}

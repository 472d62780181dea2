package attack_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
)

// run gives the outputs of a graph.
func runGraph(t *testing.T, g *onnxio.Graph, in ...*onnxio.Tensor) []*onnxio.Tensor {
	t.Helper()
	s, err := engine.OpenGraph(context.Background(), g, engine.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out, err := s.Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestStraightThroughGradientsPointAsTheFloatNetworksDo: of a network in the three forms in which onnxruntime quantises it, the graph of the estimate
// gives the outputs of the quantised network, and directions close to the gradient of the network that was quantised. Without the estimate there is
// no gradient, and an error that names a node.
func TestStraightThroughGradientsPointAsTheFloatNetworksDo(t *testing.T) {
	load := func(name string) *onnxio.Graph {
		m, err := onnxio.Load(filepath.Join("..", "testdata", "faults", "quantised", name+".onnx"))
		if err != nil {
			t.Fatal(err)
		}
		return m.Graph
	}
	float, err := attack.Gradient(load("float"), attack.Loss{Kind: attack.CE}, attack.GradientOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"dynamic", "qdq", "qoperator"} {
		g := load(name)
		var u *onnxio.UnsupportedError
		if _, err := attack.Gradient(g, attack.Loss{Kind: attack.CE}, attack.GradientOptions{}); !errors.As(err, &u) || u.Node == "" ||
			u.Face != "Gradient" {
			t.Errorf("%s: %v; want the node that has no gradient", name, err)
		}
		s, err := attack.Gradient(g, attack.Loss{Kind: attack.CE}, attack.GradientOptions{Straight: true})
		if err != nil {
			t.Fatal(name, err)
		}
		rng := rand.New(rand.NewPCG(5, 5))
		const samples = 20
		sum := 0.0
		for range samples {
			x := make([]float32, 3*12*12)
			for i := range x {
				x[i] = rng.Float32()
			}
			in, label := onnxio.FromFloat32(x, 1, 3, 12, 12), onnxio.FromFloat32([]float32{0, 0, 1, 0, 0}, 1, 5)
			want, got, of := runGraph(t, g, in)[0].F32(), runGraph(t, s, in, label), runGraph(t, float, in, label)
			for i, v := range got[0].F32() {
				const step = 0.004 // of the quantised outputs: a sum that ends between two of them may be rounded to either
				if d := math.Abs(float64(v - want[i])); d > step {
					t.Errorf("%s: output %d is %v, the model's %v", name, i, v, want[i])
				}
			}
			a, b, c := 0.0, 0.0, 0.0
			for i, v := range got[2].F32() {
				w := float64(of[2].F32()[i])
				a, b, c = a+float64(v)*w, b+float64(v)*float64(v), c+w*w
			}
			sum += a / math.Sqrt(b*c)
		}
		// Single ones are lower where rounding makes equals in a pooling window, or moves a relu over zero; a wrong factor or place anywhere shows in all.
		if mean := sum / samples; !(mean > 0.95) {
			t.Errorf("%s: a mean cosine of %.3f to the float network's gradients", name, mean)
		}
	}
}

// TestStraightThroughByHand: y = 3*dq(q(x)) has the slope 3 where x is inside of the quantised range, whatever the rounding, and 0 outside.
func TestStraightThroughByHand(t *testing.T) {
	v := func(name string, d onnxio.DType, c *onnxio.Tensor) *onnxio.Value {
		out := &onnxio.Value{Name: name, DType: d, Const: c}
		if c != nil {
			out.Shape = c.Shape
		}
		return out
	}
	x := v("x", onnxio.Float, nil)
	x.HasShape, x.Dims = true, []onnxio.Dim{{Size: 1}, {Size: 4}}
	scale := v("s", onnxio.Float, onnxio.FromFloat32([]float32{0.1}))
	zero := v("z", onnxio.Uint8, &onnxio.Tensor{DType: onnxio.Uint8, Shape: []int{}, Data: []uint8{10}})
	three := v("three", onnxio.Float, onnxio.FromFloat32([]float32{3}))
	g := &onnxio.Graph{Name: "g", Inputs: []*onnxio.Value{x}}
	node := func(op string, d onnxio.DType, in ...*onnxio.Value) *onnxio.Value {
		n := &onnxio.Node{Name: op, Op: op, Opset: 13, Inputs: in}
		n.Outputs = []*onnxio.Value{{Name: op + "_out", DType: d, Producer: n}}
		g.Nodes = append(g.Nodes, n)
		return n.Outputs[0]
	}
	q := node("QuantizeLinear", onnxio.Uint8, x, scale, zero) // from -1 to 24.5
	y := node("Mul", onnxio.Float, node("DequantizeLinear", onnxio.Float, q, scale, zero), three)
	g.Outputs = []*onnxio.Value{y}
	s, err := attack.Gradient(g, attack.Loss{Kind: attack.Linear}, attack.GradientOptions{Straight: true})
	if err != nil {
		t.Fatal(err)
	}
	out := runGraph(t, s, onnxio.FromFloat32([]float32{-0.96, 0.123, 24.4, 30}, 1, 4), onnxio.FromFloat32([]float32{1, 1, 1, 1}, 1, 4))
	slopes := slices.Clone(out[2].F32())
	for i, want := range []float64{3, 3, 3, 0} {
		if d := math.Abs(math.Abs(float64(slopes[i])) - want); d > 1e-5 {
			t.Errorf("slope %d is %v, want %v", i, slopes[i], want)
		}
	}
	for i, want := range []float64{-1 * 3, 0.1 * 3, 24.4 * 3, 24.5 * 3} {
		if d := math.Abs(float64(out[0].F32()[i]) - want); d > 1e-4 {
			t.Errorf("output %d is %v, want %v", i, out[0].F32()[i], want)
		}
	}
}

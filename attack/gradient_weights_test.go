package attack

import (
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// TestGradientHoldsWeightsOnce looks for a second copy of the weights in the gradient of a product: a file would be twice as large.
func TestGradientHoldsWeightsOnce(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	const in, out = 40, 30
	w := onnxio.FromFloat32(make([]float32, in*out), in, out)
	for i := range w.F32() {
		w.F32()[i] = rng.Float32()
	}
	x := &onnxio.Value{Name: "x", DType: onnxio.Float, HasShape: true, Dims: []onnxio.Dim{{Size: -1, Name: "N"}, {Size: 3}, {Size: in}}}
	c := &onnxio.Value{Name: "w", DType: onnxio.Float, Const: w}
	y := &onnxio.Value{Name: "y"}
	n := &onnxio.Node{Op: "MatMul", Opset: 17, Inputs: []*onnxio.Value{x, c}, Outputs: []*onnxio.Value{y}}
	y.Producer = n
	g, err := Gradient(&onnxio.Graph{Nodes: []*onnxio.Node{n}, Inputs: []*onnxio.Value{x}, Outputs: []*onnxio.Value{y}}, Loss{Kind: Linear},
		GradientOptions{Batch: 2})
	if err != nil {
		t.Fatal(err)
	}
	held := map[*onnxio.Tensor]bool{}
	for _, n := range g.Nodes {
		for _, v := range n.Inputs {
			if v != nil && v.Const != nil && len(v.Const.F32()) >= in*out {
				held[v.Const] = true
			}
		}
	}
	if len(held) != 1 {
		t.Errorf("%d constants as large as the weights, want them alone", len(held))
	}
}

package student

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/shallow-waters/shoal/onnxio"
)

// TwoScores gives a copy of the graph of a classifier of one score whose two classes part at `at`: it ends in two logits [N,2], -d/2
// and d/2, where d is the score less at, so that class 1 has the larger one where the score is above at. A Sigmoid at the end is left
// out and at, then between 0 and 1, taken back through it; at 1/2, softmax of the two logits is what the Sigmoid was.
func TwoScores(g *onnxio.Graph, at float64) (*onnxio.Graph, error) {
	if err := g.Check(); err != nil {
		return nil, err
	}
	if len(g.Outputs) == 0 {
		return nil, errors.New("the graph has no output")
	}
	out := g.Clone()
	z := out.Outputs[0]
	out.Outputs = out.Outputs[:1]
	if z.DType != onnxio.Undefined && z.DType != onnxio.Float {
		return nil, &onnxio.UnsupportedError{Why: fmt.Sprintf("students learn from scores of float32, and output %q is of %v", z.Name, z.DType)}
	}
	if last := z.Producer; last != nil && last.Domain == "" && last.Op == "Sigmoid" && last.Input(0) != nil {
		if !(at > 0 && at < 1) {
			return nil, fmt.Errorf("threshold %v of a Sigmoid's output: all samples are of one class", at)
		}
		z = last.Input(0)
		out.Nodes = slices.DeleteFunc(out.Nodes, func(n *onnxio.Node) bool { return n == last })
		at = math.Log(at) - math.Log1p(-at)
	}
	opset := 13
	names := map[string]bool{}
	use := func(vs []*onnxio.Value) {
		for _, v := range vs {
			if v != nil {
				names[v.Name] = true
			}
		}
	}
	use(out.Inputs)
	for _, n := range out.Nodes {
		use(n.Inputs)
		use(n.Outputs)
		if n.Domain == "" {
			opset = n.Opset
		}
	}
	fresh := func(what string) string {
		name := "two/" + what
		for names[name] {
			name += "_"
		}
		names[name] = true
		return name
	}
	constant := func(what string, t *onnxio.Tensor) *onnxio.Value {
		return &onnxio.Value{Name: fresh(what), DType: t.DType, Shape: t.Shape, Const: t}
	}
	node := func(op string, in ...*onnxio.Value) *onnxio.Value {
		y := &onnxio.Value{Name: fresh(op)}
		n := &onnxio.Node{Name: y.Name, Op: op, Opset: opset, Inputs: in, Outputs: []*onnxio.Value{y}}
		y.Producer = n
		out.Nodes = append(out.Nodes, n)
		return y
	}
	column := node("Reshape", z, constant("shape", onnxio.FromInt64([]int64{-1, 1}, 2)))
	d := node("Sub", column, constant("at", onnxio.FromFloat32([]float32{float32(at)}, 1)))
	out.Outputs[0] = node("MatMul", d, constant("halves", onnxio.FromFloat32([]float32{-0.5, 0.5}, 1, 2)))
	return out, nil
}

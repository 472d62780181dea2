package operators

import (
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// JoinedNorm recognises the quotient of a LayerNormalization that a graph writes out in parts,
//
//	d = x - ReduceMean(x),  y = d / Sqrt(ReduceMean(d^2) + epsilon)
//
// and gives x with what an execution of y may be off where a runtime joins the parts into one operator: it may then find the variance as the mean
// of squares less the square of the mean, far from what the parts by themselves round. onnxruntime's LayerNormFusion does so. ok is false for
// any other node, and where the sizes are not known.
func JoinedNorm(y *onnxio.Node) (x *onnxio.Value, e op.Execution, ok bool) {
	none := func() (*onnxio.Value, op.Execution, bool) { return nil, op.Execution{}, false }
	if !isPlain(y, "Div") {
		return none()
	}
	x, mean := centredOn(y.Inputs[0])
	if x == nil {
		return none()
	}
	root := producer(y.Inputs[1], "Sqrt")
	if root == nil {
		return none()
	}
	variance, epsilon := root.Inputs[0], 0.0
	if sum := producer(variance, "Add"); sum != nil {
		for k := range 2 {
			if c := sum.ConstInput(k); c != nil {
				f, err := c.Float64s()
				if err != nil || len(f) == 0 || !uniform(f) {
					return none()
				}
				variance, epsilon = sum.Inputs[1-k], f[0]
			}
		}
	}
	squares := producer(variance, "ReduceMean")
	if squares == nil {
		return none()
	}
	var d *onnxio.Value
	if p := producer(squares.Inputs[0], "Pow"); p != nil {
		if c := p.ConstInput(1); c != nil && c.Len() == 1 {
			if f, err := c.Float64s(); err == nil && f[0] == 2 {
				d = p.Inputs[0]
			}
		}
	} else if p := producer(squares.Inputs[0], "Mul"); p != nil && p.Inputs[0] == p.Inputs[1] {
		d = p.Inputs[0]
	}
	if d == nil {
		return none()
	}
	if other, _ := centredOn(d); other != x {
		return none()
	}
	r, err := staticReduction(mean, 18, "Execution")
	if err != nil || r.count == 0 {
		return none()
	}
	if q, err := staticReduction(squares, 18, "Execution"); err != nil || q.count != r.count {
		return none()
	}
	_, index := r.rows()
	g := &standard{size: r.count, total: product(x.Shape), index: index, epsilon: epsilon}
	if len(index) != g.total || !slices.Equal(x.Shape, y.Outputs[0].Shape) {
		return none()
	}
	return x, op.Within(0, 0, "the error of LayerNormalization").Depending(g.execution), true
}

// centredOn gives x of x - ReduceMean(x), and the mean's node; nil for anything else.
func centredOn(d *onnxio.Value) (x *onnxio.Value, mean *onnxio.Node) {
	n := producer(d, "Sub")
	if n == nil {
		return nil, nil
	}
	mean = producer(n.Inputs[1], "ReduceMean")
	if mean == nil || mean.Inputs[0] != n.Inputs[0] || n.Inputs[0].Const != nil {
		return nil, nil
	}
	return n.Inputs[0], mean
}

// producer is the node that makes a value, if it is one of that operator.
func producer(v *onnxio.Value, name string) *onnxio.Node {
	if v == nil || v.Producer == nil || !isPlain(v.Producer, name) {
		return nil
	}
	return v.Producer
}

func isPlain(n *onnxio.Node, name string) bool {
	if n.Op != name || n.Domain != "" || len(n.Inputs) == 0 {
		return false
	}
	need := map[string]int{"Div": 2, "Sub": 2, "Add": 2, "Pow": 2, "Mul": 2}[name]
	for i := range max(1, need) {
		if i >= len(n.Inputs) || n.Inputs[i] == nil {
			return false
		}
	}
	return len(n.Outputs) > 0 && n.Outputs[0] != nil
}

package infer

import (
	"slices"

	"github.com/shallow-waters/shoal/internal/operators"
	"github.com/shallow-waters/shoal/onnxio"
)

// Fuse rewrites a prepared graph for running it: a BatchNormalization goes into the weights of the convolution before it, and an Add of
// a constant row after a MatMul into a Gemm. Results change by rounding only; bounds are made of the graph as it was.
func Fuse(g *onnxio.Graph) {
	if g.Check() != nil {
		return
	}
	readers := g.Consumers()
	only := func(v *onnxio.Value) bool { return len(readers[v]) == 1 && !slices.Contains(g.Outputs, v) }
	for _, n := range g.Nodes {
		if n.Domain != "" || len(n.Inputs) == 0 || n.Inputs[0] == nil {
			continue
		}
		switch n.Op {
		case "BatchNormalization":
			if c := n.Inputs[0].Producer; c != nil && c.Op == "Conv" && c.Domain == "" && only(n.Inputs[0]) {
				foldBatchNorm(c, n)
			}
		case "Add":
			for k := range n.Inputs {
				if m := n.Inputs[k].Producer; m != nil && m.Op == "MatMul" && m.Domain == "" && only(n.Inputs[k]) {
					addToMatMul(m, n, n.Inputs[1-k])
				}
			}
		}
	}
	drop := func(n *onnxio.Node) bool { return n.Op == "" }
	g.Nodes = slices.DeleteFunc(g.Nodes, drop)
}

// take lets a node write another's output, and leaves that other without an operator.
func take(n, gone *onnxio.Node) {
	n.Outputs = []*onnxio.Value{gone.Outputs[0]}
	gone.Outputs[0].Producer = n
	gone.Op = ""
}

// foldBatchNorm scales the filters, in float64 with one rounding.
func foldBatchNorm(conv, bn *onnxio.Node) {
	w, b := conv.ConstInput(1), conv.ConstInput(2)
	if w == nil || conv.ConstInput(0) != nil || conv.Input(2) != nil && b == nil || len(bn.Outputs) > 1 && slices.ContainsFunc(bn.Outputs[1:],
		func(v *onnxio.Value) bool { return v != nil }) {
		return
	}
	scale, shift, err := operators.BatchNormScale(bn)
	if err != nil || w.Shape[0] != len(scale) {
		return
	}
	weights, err := w.Float64s()
	if err != nil {
		return
	}
	weights = slices.Clone(weights)
	bias := make([]float64, len(scale))
	if b != nil {
		v, err := b.Float64s()
		if err != nil || len(v) != len(bias) {
			return
		}
		copy(bias, v)
	}
	each := len(weights) / len(scale)
	for o, k := range scale {
		for i := range each {
			weights[o*each+i] *= k
		}
		bias[o] = bias[o]*k + shift[o]
	}
	constant := func(like *onnxio.Tensor, name string, d []float64, shape ...int) *onnxio.Value {
		t := onnxio.FromFloat64(d, shape...)
		if like.DType == onnxio.Float {
			f := make([]float32, len(d))
			for i, v := range d {
				f[i] = float32(v)
			}
			t = onnxio.FromFloat32(f, shape...)
		}
		return &onnxio.Value{Name: name, DType: t.DType, Shape: t.Shape, Const: t}
	}
	name := bn.Outputs[0].Name
	conv.Inputs = []*onnxio.Value{conv.Inputs[0], constant(w, name+" weights", weights, w.Shape...), constant(w, name+" bias", bias, len(bias))}
	take(conv, bn)
}

// addToMatMul turns rows times a constant matrix plus a constant row into a Gemm.
func addToMatMul(m, add *onnxio.Node, row *onnxio.Value) {
	w := m.ConstInput(1)
	if w == nil || m.ConstInput(0) != nil || len(w.Shape) != 2 || len(m.Inputs[0].Shape) != 2 || row == nil || row.Const == nil ||
		row.DType != m.Inputs[0].DType {
		return
	}
	size := row.Const.Len()
	if s := row.Const.Shape; size != w.Shape[1] || len(s) == 0 || len(s) > 2 || s[len(s)-1] != size ||
		!slices.Equal(add.Outputs[0].Shape, m.Outputs[0].Shape) {
		return
	}
	m.Op, m.Opset = "Gemm", max(m.Opset, 11)
	m.Attrs = nil
	m.Inputs = append(slices.Clone(m.Inputs), row)
	take(m, add)
}

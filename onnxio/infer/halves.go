package infer

import (
	"maps"

	"github.com/shallow-waters/shoal/onnxio"
)

// unclear is the type of a value of which neither the file nor the nodes before it tell whether it is in half precision.
const unclear = onnxio.DType(-1)

// alike are operators whose outputs are of the type of their first input, far from all of them: behind others a file has to declare the type.
var alike = func() map[string]bool {
	out := map[string]bool{}
	for _, op := range []string{"Abs", "Add", "AveragePool", "BatchNormalization", "Ceil", "Clip", "Concat", "Conv", "Div", "Elu", "Erf", "Exp",
		"Expand", "Flatten", "Floor", "Gather", "Gelu", "Gemm", "GlobalAveragePool", "HardSigmoid", "Identity", "LeakyRelu", "Log", "MatMul", "Max", "Mean",
		"Min", "Mul", "Neg", "Pad", "Pow", "Reciprocal", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum", "Relu", "Reshape", "Resize", "Sigmoid",
		"Slice", "Softmax", "Split", "Sqrt", "Squeeze", "Sub", "Sum", "Tanh", "Transpose", "Unsqueeze"} {
		out[op] = true
	}
	return out
}()

// halves are the values in half precision of a graph and those around it, by name; no other value is one.
type halves map[string]onnxio.DType

// castsOf turns CastLike to the half precision of another value into the Cast that says so, since bind takes half precision for float32. The type
// of that value is what the nodes before it say, else what the file declares. It is an error where neither is known, and in graphs of nodes.
func castsOf(g *onnxio.Graph) error { return halves{}.walk(g, true) }

func (h halves) walk(g *onnxio.Graph, top bool) error {
	for _, n := range g.Nodes {
		to := h.like(n)
		if to == unclear || to != onnxio.Undefined && !top {
			return &onnxio.UnsupportedError{Node: n.Name, Op: n.Op, Opset: n.Opset,
				Why: "it may cast to half precision, as which the file does not declare " + n.Input(1).Name + "; shoal convert --float32 makes a float32 network of it"}
		}
		if to != onnxio.Undefined {
			attrs := onnxio.Attrs{}
			maps.Copy(attrs, n.Attrs)
			attrs["to"] = int64(to)
			n.Op, n.Attrs, n.Inputs = "Cast", attrs, n.Inputs[:1:1]
		}
		for _, a := range n.Attrs {
			if sub, ok := a.(*onnxio.Graph); ok {
				if err := maps.Clone(h).walk(sub, false); err != nil {
					return err
				}
			}
		}
		for _, v := range n.Outputs {
			if v == nil {
				continue
			}
			if d := h.of(n, v); d != onnxio.Undefined {
				h[v.Name] = d
			}
		}
	}
	return nil
}

// like is the half precision that a CastLike casts to.
func (h halves) like(n *onnxio.Node) onnxio.DType {
	if n.Op != "CastLike" || n.Domain != "" {
		return onnxio.Undefined
	}
	return h.at(n.Input(1))
}

func (h halves) at(v *onnxio.Value) onnxio.DType {
	switch {
	case v == nil:
		return onnxio.Undefined
	case h[v.Name] != onnxio.Undefined:
		return h[v.Name]
	case v.DType.Half():
		return v.DType
	}
	return onnxio.Undefined
}

// of is the half precision of a node's output, Undefined where it is of another type.
func (h halves) of(n *onnxio.Node, v *onnxio.Value) onnxio.DType {
	d := unclear
	switch to := onnxio.DType(n.Attrs.Int("to", 0)); {
	case n.Domain != "":
	case n.Op == "CastLike":
		return h.at(n.Input(1))
	case n.Op == "Cast" && to.Half():
		return to
	case n.Op == "Cast":
		return onnxio.Undefined
	case alike[n.Op] && v == n.Outputs[0]:
		d = h.at(n.Input(0))
	}
	switch {
	case d != unclear:
		return d
	case v.DType.Half():
		return v.DType
	case v.DType != onnxio.Undefined || !h.reads(n):
		return onnxio.Undefined
	}
	return unclear
}

// reads tells whether a node may read half precision; one with graphs of its own reads what is around them.
func (h halves) reads(n *onnxio.Node) bool {
	for _, v := range n.Inputs {
		if h.at(v) != onnxio.Undefined {
			return true
		}
	}
	return branches(n) && len(h) > 0
}

package infer

import "github.com/shallow-waters/shoal/onnxio"

// Widened gives the types of half precision that a graph computes in, float16 first, each as the first value that is of it. All of them are computed
// in float32: constants and casts are of the file's type, and what nodes give is not rounded to it. nil for a graph that is none.
func Widened(g *onnxio.Graph) []onnxio.Value {
	g = Live(g)
	if g == nil {
		return nil
	}
	first := map[onnxio.DType]string{}
	note := func(d onnxio.DType, v *onnxio.Value) {
		if v != nil && first[d] == "" {
			first[d] = v.Name
		}
	}
	for _, v := range g.Inputs {
		note(v.DType, v)
	}
	for _, n := range g.Nodes {
		if n.Op == "Cast" && n.Domain == "" && len(n.Outputs) > 0 {
			note(onnxio.DType(n.Attrs.Int("to", 0)), n.Outputs[0])
		}
		for _, vs := range [][]*onnxio.Value{n.Inputs, n.Outputs} {
			for _, v := range vs {
				if v != nil {
					note(v.DType, v)
				}
			}
		}
	}
	var out []onnxio.Value
	for _, d := range []onnxio.DType{onnxio.Float16, onnxio.BFloat16} {
		if name, ok := first[d]; ok {
			out = append(out, onnxio.Value{Name: name, DType: d})
		}
	}
	return out
}

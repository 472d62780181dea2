package infer

import (
	"context"
	"slices"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// TestSamples: what a value looks like for one sample, by what its file declares and by trying.
func TestSamples(t *testing.T) {
	free := onnxio.Dim{Size: -1, Name: "N"}
	three := onnxio.Dim{Size: 3}
	for name, c := range map[string]struct {
		batch    onnxio.Dim
		turned   bool         // the output is the input's transpose
		declared []onnxio.Dim // nil where the output declares nothing
		shape    []int
		axis     int
		grows    bool
		sizes    []int // that are tried
	}{
		"declared":                        {free, false, []onnxio.Dim{free, three}, []int{1, 3}, 0, false, []int{1}},
		"declared wrongly":                {free, false, []onnxio.Dim{free, {Size: 4}}, []int{1, 3}, 0, false, []int{1}},
		"declared along another axis":     {free, true, []onnxio.Dim{three, free}, []int{3, 1}, 1, true, []int{1, 2}},
		"declared with another name":      {free, false, []onnxio.Dim{{Size: -1, Name: "M"}, three}, []int{1, 3}, 0, false, []int{1}},
		"not declared":                    {free, false, nil, []int{1, 3}, 0, true, []int{1, 2}},
		"not declared, along another":     {free, true, nil, []int{3, 1}, 1, true, []int{1, 2}},
		"a batch that is left over":       {free, false, []onnxio.Dim{{Size: 5}, three}, []int{1, 3}, 0, true, []int{1, 2}},
		"a fixed batch":                   {onnxio.Dim{Size: 5}, false, []onnxio.Dim{{Size: 5}, three}, []int{1, 3}, 0, false, []int{1}},
		"a fixed batch, not declared":     {onnxio.Dim{Size: 5}, true, nil, []int{3, 1}, 1, false, []int{1}},
		"a batch fixed to 1, as declared": {onnxio.Dim{Size: 1}, false, []onnxio.Dim{{Size: 1}, three}, []int{1, 3}, 0, false, []int{1}},
	} {
		for _, others := range []bool{false, true} {
			x := &onnxio.Value{Name: "x", DType: onnxio.Float, HasShape: true, Dims: []onnxio.Dim{c.batch, three}}
			n := &onnxio.Node{Name: "n", Op: "Relu", Opset: 13, Inputs: []*onnxio.Value{x}}
			if c.turned {
				n.Op, n.Attrs = "Transpose", onnxio.Attrs{"perm": []int64{1, 0}}
			}
			y := &onnxio.Value{Name: "y", DType: onnxio.Float, Producer: n, HasShape: c.declared != nil, Dims: c.declared}
			n.Outputs = []*onnxio.Value{y}
			g := &onnxio.Graph{Name: "g", Inputs: []*onnxio.Value{x}, Nodes: []*onnxio.Node{n}, Outputs: []*onnxio.Value{y}}
			if others { // a node and an input that y does not need
				z := &onnxio.Value{Name: "z", DType: onnxio.Float, HasShape: true, Dims: []onnxio.Dim{free}}
				m := &onnxio.Node{Name: "m", Op: "Relu", Opset: 13, Inputs: []*onnxio.Value{z}}
				w := &onnxio.Value{Name: "w", DType: onnxio.Float, Producer: m}
				m.Outputs = []*onnxio.Value{w}
				g.Inputs, g.Nodes, g.Outputs = append(g.Inputs, z), append(g.Nodes, m), append(g.Outputs, w)
			}
			var sizes []int
			ctx := Watch(Once(context.Background()), func(w Work) { sizes = append(sizes, w.Batch) })
			s := Samples(ctx, g, y)
			if s.Err != nil || !slices.Equal(s.Shape, c.shape) || s.Axis != c.axis || s.Grows != c.grows || s.DType != onnxio.Float {
				t.Errorf("%s: %v along %d (grows %v), type %v, error %v; want %v along %d (%v)", name, s.Shape, s.Axis, s.Grows, s.DType, s.Err, c.shape, c.axis, c.grows)
			}
			if !slices.Equal(sizes, c.sizes) {
				t.Errorf("%s: tried with %v samples, want %v", name, sizes, c.sizes)
			}
			if (s.Graph == g) == others || len(s.Graph.Nodes) != 1 || len(s.Graph.Inputs) != 1 {
				t.Errorf("%s: the graph has %d nodes and %d inputs", name, len(s.Graph.Nodes), len(s.Graph.Inputs))
			}
		}
	}
}

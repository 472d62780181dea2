package infer

import (
	"fmt"
	"slices"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// TestPrepareLeavesTheModelUnchanged writes the graph down before and after; constants too.
func TestPrepareLeavesTheModelUnchanged(t *testing.T) {
	s := newSketch()
	x := s.input("x", "N", 1, 4, 4)
	a := s.node("Conv", "conv", onnxio.Attrs{"kernel_shape": []int64{3, 3}}, x, ramp("w", 2, 1, 3, 3))
	b := s.node("BatchNormalization", "norm", nil, a, ramp("scale", 2), ramp("shift", 2), ramp("mean", 2), ramp("var", 2))
	d := s.nodes("Dropout", 2, "drop", nil, s.node("Identity", "copy", nil, s.node("Relu", "relu", nil, b)))
	to := s.node("Concat", "to", onnxio.Attrs{"axis": int64(0)},
		s.node("Slice", "size", nil, s.node("Shape", "shape", nil, d[0]), i64("from", 0), i64("until", 1)), i64("rest", -1))
	y := s.node("Add", "sum", nil, s.node("MatMul", "product", nil, s.node("Reshape", "view", nil, d[0], to), ramp("m", 8, 3)), ramp("bias", 3))
	y.Dims, y.HasShape = dims("N", 3), true
	s.node("Exp", "dead", nil, y)
	graphs := map[string]*onnxio.Graph{"sketch": s.graph(y)}
	for _, name := range []string{"fmnist-conv-ts", "fmnist-conv-dyn-robust"} {
		m, err := onnxio.Load("../../testdata/" + name + ".onnx")
		if err != nil {
			t.Fatal(err)
		}
		graphs[name] = m.Graph
	}
	for name, g := range graphs {
		for _, o := range []Options{{}, {Batch: 3}, {Float64: true}, {Dims: map[string]int{"N": 2}}} {
			t.Run(fmt.Sprintf("%s %+v", name, o), func(t *testing.T) {
				before := dump(g)
				p := prepare(t, g, o)
				prepared := dump(p)
				Fuse(p)
				if dump(g) != before {
					t.Error("the model changed")
				}
				for _, n := range p.Nodes {
					for _, v := range n.Outputs {
						if v != nil && (v.Shape == nil || v.Producer != n) {
							t.Errorf("%s: shape %v, producer %v", v.Name, v.Shape, v.Producer)
						}
					}
					if slices.Contains([]string{"Identity", "BatchNormalization"}, n.Op) {
						t.Errorf("a %s is left", n.Op)
					}
				}
				if again := dump(prepare(t, g, o)); again != prepared {
					t.Error("preparing twice gives two graphs")
				}
			})
		}
	}
}

package infer

import (
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// TestFinalSoftmax: it is left out where it runs over all numbers of each sample, and nowhere else.
func TestFinalSoftmax(t *testing.T) {
	for _, c := range []struct {
		name    string
		op      string
		opset   int
		shape   []any
		attrs   onnxio.Attrs
		samples int
		want    bool
	}{
		{"classes", "Softmax", 13, []any{"N", 5}, nil, 3, true},
		{"classes of a logarithm", "LogSoftmax", 13, []any{"N", 5}, onnxio.Attrs{"axis": int64(1)}, 3, true},
		{"classes before opset 13", "Softmax", 11, []any{"N", 5}, nil, 3, true},
		{"classes with ones behind", "Softmax", 13, []any{"N", 5, 1, 1}, onnxio.Attrs{"axis": int64(1)}, 3, true},
		{"classes with ones before", "Softmax", 13, []any{"N", 1, 5}, nil, 3, true},
		{"the samples", "Softmax", 13, []any{"N", 5}, onnxio.Attrs{"axis": int64(0)}, 3, false},
		{"the samples, as many as classes", "Softmax", 13, []any{"N", 3}, onnxio.Attrs{"axis": int64(0)}, 3, false},
		{"the ones behind the classes", "Softmax", 13, []any{"N", 5, 1}, nil, 3, false},
		{"each pixel's classes", "Softmax", 13, []any{"N", 5, 2, 2}, onnxio.Attrs{"axis": int64(1)}, 3, false},
		{"each of two rows", "Softmax", 13, []any{"N", 2, 5}, nil, 3, false},
		{"one class", "Softmax", 13, []any{"N", 1}, nil, 3, false},
		{"one sample for three", "Softmax", 13, []any{1, 5}, nil, 3, false},
		{"one sample", "Softmax", 13, []any{1, 5}, nil, 1, true},
		{"one sample without an axis for it", "Softmax", 13, []any{5}, nil, 1, true},
		{"three samples for one", "Softmax", 13, []any{3, 5}, nil, 1, false},
		{"another operator", "Hardmax", 13, []any{"N", 5}, nil, 3, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, behind := range []bool{false, true} {
				s := newSketch()
				s.opset = c.opset
				y := s.node(c.op, "last", c.attrs, s.node("Relu", "before", nil, s.input("x", c.shape...)))
				if behind {
					y = s.node("Identity", "copy", nil, y)
				}
				g := prepare(t, s.graph(y), Options{Batch: 3})
				out, dropped := WithoutSoftmax(g, c.samples)
				if dropped != c.want || dropped != (names(out) == "before") || len(g.Nodes) == len(out.Nodes) == dropped {
					t.Errorf("left out: %v, want %v; of nodes %q remain %q", dropped, c.want, names(g), names(out))
				}
			}
		})
	}
	s := newSketch()
	x := s.input("x", 1, 5)
	if _, dropped := WithoutSoftmax(prepare(t, s.graph(s.node("Softmax", "p", nil, x), s.node("Relu", "y", nil, x)), Options{}), 1); dropped {
		t.Error("left out beside another output")
	}
}

package infer

import (
	"context"
	"errors"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// TestErrorsNameThePlace gives every fault that inference finds, with the words that it is told in.
func TestErrorsNameThePlace(t *testing.T) {
	var (
		unsupported *onnxio.UnsupportedError
		shape       *onnxio.ShapeError
		node        *onnxio.NodeError
	)
	for _, c := range []struct {
		name  string
		o     Options
		build func(s *sketch) *onnxio.Value
		want  string
		as    any
	}{
		{"a size without a number", Options{}, func(s *sketch) *onnxio.Value {
			return s.node("Relu", "act", nil, s.input("tokens", "N", "T"))
		}, `input "tokens": dimension 1 (T) has no size; bind it by name`, nil},
		{"a size without a name", Options{}, func(s *sketch) *onnxio.Value {
			return s.node("Relu", "act", nil, s.input("tokens", "N", 3, "?"))
		}, `input "tokens": dimension 2 (tokens:2) has no size; bind it by name`, nil},
		{"one of two names bound", Options{Dims: map[string]int{"H": 4}}, func(s *sketch) *onnxio.Value {
			return s.node("Relu", "act", nil, s.input("image", "N", "H", "W"))
		}, `input "image": dimension 2 (W) has no size; bind it by name`, nil},
		{"a negative size", Options{Dims: map[string]int{"T": -4}}, func(s *sketch) *onnxio.Value {
			return s.node("Relu", "act", nil, s.input("x", "N", "T"))
		}, `input "x": dimension 1 of size -4`, nil},
		{"a negative batch", Options{Batch: -1}, func(s *sketch) *onnxio.Value {
			return s.node("Relu", "act", nil, s.input("x", "N", 2))
		}, `batch size -1`, nil},
		{"an input without a shape", Options{}, func(s *sketch) *onnxio.Value {
			x := s.input("x")
			x.HasShape = false
			return s.node("Relu", "act", nil, x)
		}, `input "x" declares no shape; export the model with one`, nil},
		{"an input of too many elements", Options{Batch: 1 << 20}, func(s *sketch) *onnxio.Value {
			return s.node("Relu", "act", nil, s.input("x", "N", 1<<20))
		}, `input "x": an output of shape [1048576 1048576] is too large`, nil},
		{"an input of a type without numbers", Options{}, func(s *sketch) *onnxio.Value {
			x := s.input("x", 1)
			x.DType = 14 // complex64
			return s.node("Relu", "act", nil, x)
		}, `input "x" of type dtype(14), which shoal does not hold`, nil},

		{"an unknown operator", Options{}, func(s *sketch) *onnxio.Value {
			return s.node("Frobnicate", "what", nil, s.input("x", 1))
		}, `node "what": operator Frobnicate (opset 13) is not supported`, &unsupported},
		{"an operator of another domain", Options{}, func(s *sketch) *onnxio.Value {
			y := s.node("Relu", "what", nil, s.input("x", 1))
			s.g.Nodes[0].Domain, s.g.Nodes[0].Opset = "com.example", 1
			return y
		}, `node "what": operator com.example.Relu (opset 1) is not supported`, &unsupported},
		{"an opset too old", Options{}, func(s *sketch) *onnxio.Value {
			s.opset = 6
			return s.node("Relu", "act", nil, s.input("x", 1))
		}, `node "act": operator Relu (opset 6) is not supported: shoal reads opsets 7 to 28; convert the file with the exporter`, &unsupported},
		{"an operator without the Shape face", Options{table: odd}, func(s *sketch) *onnxio.Value {
			y := s.node("Blind", "what", nil, s.input("x", 1))
			s.g.Nodes[0].Domain = "test"
			return y
		}, `node "what": operator test.Blind (opset 13) has no Shape`, &unsupported},

		{"factors that do not fit", Options{}, func(s *sketch) *onnxio.Value {
			return s.node("MatMul", "product", nil, s.input("x", 1, 3), ramp("w", 4, 5))
		}, `node "product" (MatMul): `, &node},
		{"a dense layer that does not fit", Options{}, func(s *sketch) *onnxio.Value {
			return s.node("Gemm", "dense", nil, s.input("x", 1, 3), ramp("w", 4, 5))
		}, `node "dense" (Gemm): `, &node},
		{"filters of other channels", Options{}, func(s *sketch) *onnxio.Value {
			return s.node("Conv", "conv", nil, s.input("x", 1, 3, 8, 8), ramp("w", 4, 2, 3, 3))
		}, `node "conv" (Conv): `, &node},
		{"terms that do not broadcast", Options{}, func(s *sketch) *onnxio.Value {
			return s.node("Add", "sum", nil, s.input("x", 1, 3), ramp("b", 2))
		}, `node "sum" (Add): shapes [[1 3] [2]] do not broadcast`, &node},
		{"a reshape to another size", Options{}, func(s *sketch) *onnxio.Value {
			return s.node("Reshape", "view", nil, s.input("x", 1, 3), i64("to", 2, 2))
		}, `node "view" (Reshape): reshape: shape [1 3] where [2 2] is needed`, &shape},
		{"parts that do not join", Options{}, func(s *sketch) *onnxio.Value {
			return s.node("Concat", "joined", onnxio.Attrs{"axis": int64(1)}, s.input("x", 1, 3), ramp("w", 2, 3))
		}, `node "joined" (Concat): input 1: shape [2 3] where [1 3] is needed`, &shape},
		{"an axis that is not there", Options{}, func(s *sketch) *onnxio.Value {
			return s.node("Concat", "joined", onnxio.Attrs{"axis": int64(2)}, s.input("x", 1, 3))
		}, `node "joined" (Concat): axis 2 outside a shape of rank 2`, &node},
		{"a shape that depends on data", Options{}, func(s *sketch) *onnxio.Value {
			to := s.input("to", 2)
			to.DType = onnxio.Int64
			return s.node("Reshape", "view", nil, s.input("x", 1, 3), to)
		},
			`node "view": operator Reshape (opset 13) is not supported: input 1 (to, the shape) is not constant: shapes that depend on data are not supported`,
			&unsupported},
		{"an index outside, found by folding", Options{}, func(s *sketch) *onnxio.Value {
			x := s.input("x", 1, 3)
			return s.node("Gather", "size", nil, s.node("Shape", "shape", nil, x), scalar("which", 2))
		}, `node "size" (Gather): index 2 outside a size of 2`, &node},
		{"a type other than declared", Options{}, func(s *sketch) *onnxio.Value {
			y := s.node("Flatten", "flat", nil, s.input("x", 1, 3, 4))
			y.DType = onnxio.Int64
			return y
		}, `node "flat" (Flatten): value "flat" is of type float32 and declared as int64`, &node},
		{"a value that nobody makes", Options{}, func(s *sketch) *onnxio.Value {
			return s.node("Add", "sum", nil, s.input("x", 1), &onnxio.Value{Name: "lost", DType: onnxio.Float})
		}, `node "sum" (Add): the shape of input 1 ("lost") is not known`, &node},
		{"no inputs", Options{}, func(s *sketch) *onnxio.Value { return s.node("Relu", "act", nil) },
			`node "act" (Relu): it has no inputs`, &node},
		{"too many outputs", Options{}, func(s *sketch) *onnxio.Value {
			return s.nodes("Relu", 2, "act", nil, s.input("x", 1))[0]
		}, `node "act": operator Relu (opset 13) is not supported: it has 2 outputs, and the standard's operator at most 1`, &unsupported},
		{"an output of too many elements", Options{}, func(s *sketch) *onnxio.Value {
			return s.node("Expand", "wide", nil, s.input("x", 1), i64("to", 1<<16, 1<<16))
		}, `node "wide" (Expand): `, &node},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSketch()
			_, err := Prepare(context.Background(), s.graph(c.build(s)), c.o)
			if err == nil {
				t.Fatal("no error")
			}
			// A want that ends in the node's name and a colon leaves the rest to the operator.
			got := err.Error()
			if n := len(c.want); got != c.want && !(len(got) > n && got[:n] == c.want && (c.want[n-1] == ' ' || c.want[n-1] == '"')) {
				t.Errorf("%q\nwant %q", got, c.want)
			}
			if c.as != nil && !errors.As(err, c.as) {
				t.Errorf("the error is a %T", err)
			}
		})
	}
}

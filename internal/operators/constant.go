// constant.go — Constant, opset 1, 9, 11, 12, 13, 19 and later: a value from the file.

package operators

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var constantOp = op.Def{Name: "Constant", Since: 1, Source: true,
	Attrs: op.Attributes{"value": op.AnyValue, "value_float": op.AnyValue, "value_floats": op.AnyValue,
		"value_int": op.AnyValue, "value_ints": op.AnyValue,
		"value_string": op.AnyValue, "value_strings": op.AnyValue},
	Shape: constantShape, Eval: constantEval, Couple: coupleNothing}

func constantShape(n *onnxio.Node) ([]op.Type, error) {
	t, err := constantValue(n)
	if err != nil {
		return nil, err
	}
	return []op.Type{{DType: t.DType, Shape: append([]int{}, t.Shape...)}}, nil
}

func constantEval(c *op.Call) error {
	t, err := constantValue(c.Node)
	if err != nil {
		return err
	}
	return copyData(c.Out[0], t)
}

// constantValue reads whichever of the value attributes is given.
func constantValue(n *onnxio.Node) (*onnxio.Tensor, error) {
	if len(n.Attrs) > 1 {
		return nil, fmt.Errorf("%d values where one is needed", len(n.Attrs))
	}
	for name, v := range n.Attrs {
		switch v := v.(type) {
		case *onnxio.Tensor:
			if name == "value" {
				return v, nil
			}
		case float32:
			if name == "value_float" {
				return onnxio.FromFloat32([]float32{v}), nil
			}
		case []float32:
			if name == "value_floats" {
				return onnxio.FromFloat32(v, len(v)), nil
			}
		case int64:
			if name == "value_int" {
				return onnxio.FromInt64([]int64{v}), nil
			}
		case []int64:
			if name == "value_ints" {
				return onnxio.FromInt64(v, len(v)), nil
			}
		case string:
			if name == "value_string" {
				return &onnxio.Tensor{DType: onnxio.String, Shape: []int{}, Data: []string{v}}, nil
			}
		case []string:
			if name == "value_strings" {
				return &onnxio.Tensor{DType: onnxio.String, Shape: []int{len(v)}, Data: v}, nil
			}
		}
	}
	if n.Attrs.Has("sparse_value") {
		return nil, op.Unsupported(n, "Shape", "sparse constants")
	}
	return nil, fmt.Errorf("no value attribute")
}

// constant.go — Constant, opset 1, 9, 11, 12, 13, 19 and later: a value from the file.

package op

import (
	"fmt"

	"github.com/shallow-waters/shoal/onnxio"
)

func init() {
	Register(Def{Name: "Constant", Since: 1,
		Attrs: Attributes{"value": anyValue, "value_float": anyValue, "value_floats": anyValue, "value_int": anyValue, "value_ints": anyValue,
			"value_string": anyValue, "value_strings": anyValue},
		Shape: constantShape, Eval: constantEval, Couple: coupleNothing})
}

func constantShape(n *onnxio.Node) ([]Type, error) {
	t, err := constantValue(n)
	if err != nil {
		return nil, err
	}
	return []Type{{t.DType, append([]int{}, t.Shape...)}}, nil
}

func constantEval(c *Call) error {
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
		return nil, unsupported(n, "Shape", "sparse constants")
	}
	return nil, fmt.Errorf("no value attribute")
}

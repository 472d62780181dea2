// eyelike.go — EyeLike, opset 9, 22: ones on a diagonal of a matrix as large as the input, zeros elsewhere.

package operators

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

var eyeLikeOp = op.Def{Name: "EyeLike", Since: 9,
	Attrs: op.Attributes{"dtype": op.AnyValue, "k": op.AnyValue},
	Shape: eyeLikeShape, Eval: eyeLikeEval, Interval: eyeLikeInterval, Linear: boxForms(eyeLikeInterval, op.Exact("exact"))}

func eyeLikeShape(n *onnxio.Node) ([]op.Type, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	if len(x) != 2 {
		return nil, fmt.Errorf("an input of shape %v is no matrix", x)
	}
	d := n.Inputs[0].DType
	if to := n.Attrs.Int("dtype", 0); to != 0 {
		d = onnxio.DType(to)
	}
	if d.Size() == 0 || d == onnxio.Float16 || d == onnxio.BFloat16 {
		return nil, op.Unsupported(n, "Shape", fmt.Sprintf("elements of type %v", d))
	}
	return []op.Type{{DType: d, Shape: x}}, nil
}

func eyeLikeEval(c *op.Call) error {
	if err := zeroData(c.Out[0].Data); err != nil {
		return err
	}
	s := c.In[0].Shape
	k := c.Node.Attrs.Int("k", 0)
	for r := range s[0] {
		if at := r + k; at >= 0 && at < s[1] {
			if err := setNumber(c.Out[0], r*s[1]+at, 1); err != nil {
				return err
			}
		}
	}
	return nil
}

// setNumber writes element i of a tensor, converted.
func setNumber(t *onnxio.Tensor, i int, v float64) error {
	switch d := t.Data.(type) {
	case []float32:
		d[i] = float32(v)
	case []float64:
		d[i] = v
	case []int64:
		d[i] = int64(v)
	case []int32:
		d[i] = int32(v)
	case []int16:
		d[i] = int16(v)
	case []int8:
		d[i] = int8(v)
	case []uint64:
		d[i] = uint64(v)
	case []uint32:
		d[i] = uint32(v)
	case []uint16:
		d[i] = uint16(v)
	case []uint8:
		d[i] = uint8(v)
	case []bool:
		d[i] = v != 0
	default:
		return fmt.Errorf("an element of type %v", t.DType)
	}
	return nil
}

// eyeLikeInterval is exact: only the input's shape counts.
func eyeLikeInterval(n *onnxio.Node, _ []relax.Box) ([]relax.Box, error) {
	types, err := eyeLikeShape(n)
	if err != nil {
		return nil, err
	}
	s, k := types[0].Shape, n.Attrs.Int("k", 0)
	v := make([]float64, product(s))
	for i := range v {
		if i%s[1] == i/s[1]+k {
			v[i] = 1
		}
	}
	return []relax.Box{{Lower: v, Upper: v}}, nil
}

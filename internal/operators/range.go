// range.go — Range, opset 11, 27: start, start+delta, ... below limit. Its size depends on its operands, which must be constant.

package operators

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var rangeOp = op.Def{Name: "Range", Since: 11,
	Attrs: op.Attributes{"stash_type": op.NoEffect /* of float16 and bfloat16 */},
	Shape: rangeShape, Eval: rangeEval}

// rangeOf reads the three operands.
func rangeOf(start, limit, delta *onnxio.Tensor) (from, step float64, n int, err error) {
	var v [3]float64
	for i, t := range []*onnxio.Tensor{start, limit, delta} {
		if t == nil {
			return 0, 0, 0, fmt.Errorf("operand %d is missing", i)
		}
		f, err := t.Float64s()
		if err != nil || len(f) != 1 {
			return 0, 0, 0, fmt.Errorf("operand %d has shape %v; want one number", i, t.Shape)
		}
		v[i] = f[0]
	}
	size := math.Ceil((v[1] - v[0]) / v[2])
	if v[2] == 0 || math.IsNaN(size) || size > maxElements {
		return 0, 0, 0, fmt.Errorf("from %v to %v in steps of %v", v[0], v[1], v[2])
	}
	return v[0], v[2], int(max(size, 0)), nil
}

func rangeShape(n *onnxio.Node) ([]op.Type, error) {
	if n.Input(0) == nil {
		return nil, fmt.Errorf("input 0 is missing")
	}
	for i, v := range n.Inputs {
		if v != nil && v.Const == nil {
			return nil, variableShape(n, i, "")
		}
	}
	_, _, size, err := rangeOf(n.ConstInput(0), n.ConstInput(1), n.ConstInput(2))
	if err != nil {
		return nil, err
	}
	return []op.Type{{DType: n.Inputs[0].DType, Shape: []int{size}}}, nil
}

func rangeEval(c *op.Call) error {
	from, step, n, err := rangeOf(c.In[0], c.In[1], c.In[2])
	if err != nil || c.Out[0].Len() != n {
		return fmt.Errorf("%d elements for an output of shape %v (%w)", n, c.Out[0].Shape, err)
	}
	switch y := c.Out[0].Data.(type) {
	case []float32:
		count(y, from, step)
	case []float64:
		count(y, from, step)
	case []int64:
		count(y, from, step)
	case []int32:
		count(y, from, step)
	case []int16:
		count(y, from, step)
	default:
		return unsupportedType(c, "elements of type %v", c.Out[0].DType)
	}
	return nil
}

func count[T float32 | float64 | int64 | int32 | int16](y []T, from, step float64) {
	for i := range y {
		y[i] = T(from) + T(i)*T(step)
	}
}

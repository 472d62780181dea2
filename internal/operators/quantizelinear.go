// quantizelinear.go — QuantizeLinear and DequantizeLinear, opset 10, 13 (per axis), 19, 21: y = saturate(round(x/scale) + zero), and back.
// Blocked scales and types other than int8 and uint8 (and int32 to float) are refused.

package operators

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var quantizeLinearOp = op.Def{Name: "QuantizeLinear", Since: 10,
	Attrs: op.Attributes{"axis": op.AnyValue, "block_size": op.AnyValue, "output_dtype": op.AnyValue, "precision": op.OneOf(0, 1),
		"saturate": op.NoEffect /* of float8 */},
	Shape: quantizeShape, Eval: quantizeEval, Interval: quantizeInterval, Linear: quantizeLinear, Couple: coupleQuantize}

var dequantizeLinearOp = op.Def{Name: "DequantizeLinear", Since: 10,
	Attrs: op.Attributes{"axis": op.AnyValue, "block_size": op.AnyValue, "output_dtype": op.AnyValue},
	Shape: dequantizeShape, Eval: dequantizeEval, Interval: dequantizeInterval, Linear: dequantizeLinear, Couple: coupleQuantize}

// scaleRuns gives how many elements in a row share a scale.
func scaleRuns(n *onnxio.Node, x, scale []int) (int, error) {
	if n.Attrs.Int("block_size", 0) != 0 {
		return 0, op.Unsupported(n, "", "scales by block")
	}
	if product(scale) == 1 {
		return max(1, product(x)), nil
	}
	axis, err := normalAxis(n.Attrs.Int("axis", 1), len(x))
	if err != nil {
		return 0, err
	}
	if len(scale) != 1 || scale[0] != x[axis] {
		return 0, fmt.Errorf("scales of shape %v along axis %d of an input of shape %v", scale, axis, x)
	}
	return product(x[axis+1:]), nil
}

func quantizeShapes(n *onnxio.Node) ([]int, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	scale, err := shapeOf(n, 1)
	if err != nil {
		return nil, err
	}
	if zero := n.Input(2); zero != nil && product(zero.Shape) != product(scale) {
		return nil, fmt.Errorf("zero points of shape %v for scales of shape %v", zero.Shape, scale)
	}
	_, err = scaleRuns(n, x, scale)
	return x, err
}

func quantizeShape(n *onnxio.Node) ([]op.Type, error) {
	x, err := quantizeShapes(n)
	if err != nil {
		return nil, err
	}
	d := onnxio.Uint8
	if zero := n.Input(2); zero != nil {
		d = zero.DType
	} else if to := n.Attrs.Int("output_dtype", 0); to != 0 {
		d = onnxio.DType(to)
	}
	if d != onnxio.Uint8 && d != onnxio.Int8 {
		return nil, op.Unsupported(n, "", fmt.Sprintf("quantized elements of type %v", d))
	}
	return []op.Type{{DType: d, Shape: x}}, nil
}

func dequantizeShape(n *onnxio.Node) ([]op.Type, error) {
	x, err := quantizeShapes(n)
	if err != nil {
		return nil, err
	}
	switch n.Inputs[0].DType {
	case onnxio.Uint8, onnxio.Int8, onnxio.Int32:
		return []op.Type{{DType: onnxio.Float, Shape: x}}, nil
	}
	return nil, op.Unsupported(n, "", fmt.Sprintf("quantized elements of type %v", n.Inputs[0].DType))
}

// numberAt reads element i of a tensor; 0 where it is absent. It keeps runs free of allocation.
func numberAt(t *onnxio.Tensor, i int) float64 {
	if t == nil {
		return 0
	}
	switch d := t.Data.(type) {
	case []float32:
		return float64(d[i])
	case []float64:
		return d[i]
	case []int8:
		return float64(d[i])
	case []uint8:
		return float64(d[i])
	case []int32:
		return float64(d[i])
	case []int64:
		return float64(d[i])
	}
	return math.NaN()
}

func optional(c *op.Call, i int) *onnxio.Tensor {
	if i < len(c.In) {
		return c.In[i]
	}
	return nil
}

func quantizeEval(c *op.Call) error {
	run, err := scaleRuns(c.Node, c.In[0].Shape, c.In[1].Shape)
	if err != nil {
		return err
	}
	count, zero := c.In[1].Len(), optional(c, 2)
	float32s := c.In[0].DType == onnxio.Float // the quotient is float32's there, which decides ties
	for i := range c.In[0].Len() {
		k := i / run % count
		q := numberAt(c.In[0], i) / numberAt(c.In[1], k)
		if float32s {
			q = float64(float32(q))
		}
		q = math.RoundToEven(q) + numberAt(zero, k)
		switch y := c.Out[0].Data.(type) {
		case []uint8:
			y[i] = uint8(max(0, min(255, q)))
		case []int8:
			y[i] = int8(max(-128, min(127, q)))
		}
	}
	return nil
}

func dequantizeEval(c *op.Call) error {
	run, err := scaleRuns(c.Node, c.In[0].Shape, c.In[1].Shape)
	if err != nil {
		return err
	}
	count, zero := c.In[1].Len(), optional(c, 2)
	for i := range c.In[0].Len() {
		k := i / run % count
		v := (numberAt(c.In[0], i) - numberAt(zero, k)) * numberAt(c.In[1], k)
		switch y := c.Out[0].Data.(type) {
		case []float32:
			y[i] = float32(v)
		case []float64:
			y[i] = v
		}
	}
	return nil
}

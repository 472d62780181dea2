// quantizelinear.go — QuantizeLinear and DequantizeLinear, opset 10, 13 (per axis), 19, 21: y = saturate(round(x/scale) + zero), and back.
// Scales stand for all, for an index along an axis, or for a block. Numbers of few bits that are no integers have no bounds.

package operators

import (
	"fmt"
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var quantizeLinearOp = op.Def{Name: "QuantizeLinear", Since: 10, Zero: op.ZeroKept,
	Attrs: op.Attributes{"axis": op.AnyValue, "block_size": op.AnyValue, "output_dtype": op.AnyValue, "precision": op.OneOf(0, 1),
		"saturate": op.Boolean},
	Shape: quantizeShape, Eval: quantizeEval, Interval: quantizeInterval, Linear: quantizeLinear, Couple: coupleQuantize, ZeroPoints: []int{2}}

var dequantizeLinearOp = op.Def{Name: "DequantizeLinear", Since: 10, Zero: op.ZeroKept,
	Attrs: op.Attributes{"axis": op.AnyValue, "block_size": op.AnyValue, "output_dtype": op.AnyValue},
	Shape: dequantizeShape, Eval: dequantizeEval, Interval: dequantizeInterval, Linear: dequantizeLinear, Couple: coupleQuantize, ZeroPoints: []int{2}}

// scalePlaces gives which scale belongs to each element: one for all, one for each index along an axis, or one for each block along it.
func scalePlaces(n *onnxio.Node, x, scale []int) (func(i int) int, error) {
	if product(scale) == 1 {
		return func(int) int { return 0 }, nil
	}
	axis, err := normalAxis(n.Attrs.Int("axis", 1), len(x))
	if err != nil {
		return nil, err
	}
	inner, size := product(x[axis+1:]), x[axis]
	block := n.Attrs.Int("block_size", 0)
	if block == 0 {
		if len(scale) != 1 || scale[0] != size {
			return nil, fmt.Errorf("scales of shape %v along axis %d of an input of shape %v", scale, axis, x)
		}
		return func(i int) int { return i / inner % size }, nil
	}
	blocks := 0
	if len(scale) == len(x) {
		blocks = scale[axis]
	}
	for i := range x {
		if block < 0 || len(scale) != len(x) || i != axis && scale[i] != x[i] || blocks != (size+block-1)/block {
			return nil, fmt.Errorf("scales of shape %v for blocks of %d along axis %d of an input of shape %v", scale, block, axis, x)
		}
	}
	return func(i int) int { return (i/(inner*size)*blocks+i/inner%size/block)*inner + i%inner }, nil
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
	_, err = scalePlaces(n, x, scale)
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
	if !quantised(d) {
		return nil, op.Unsupported(n, "", fmt.Sprintf("quantized elements of type %v", d))
	}
	return []op.Type{{DType: d, Shape: x}}, nil
}

// quantised are the types that numbers are quantised to.
func quantised(d onnxio.DType) bool {
	switch d {
	case onnxio.Uint8, onnxio.Int8, onnxio.Uint16, onnxio.Int16, onnxio.Uint4, onnxio.Int4, onnxio.Uint2, onnxio.Int2:
		return true
	}
	return d.Coded() && d != onnxio.Float8E8M0
}

func dequantizeShape(n *onnxio.Node) ([]op.Type, error) {
	x, err := quantizeShapes(n)
	if err != nil {
		return nil, err
	}
	if d := n.Inputs[0].DType; quantised(d) || d == onnxio.Int32 {
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
	case []int16:
		return float64(d[i])
	case []uint16:
		return float64(d[i])
	case []onnxio.Code:
		return t.DType.Value(d[i])
	case []uint8:
		return float64(d[i])
	case []int32:
		return float64(d[i])
	case []int64:
		return float64(d[i])
	case []uint32:
		return float64(d[i])
	case []uint64:
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

// scaleState keeps the places of the scales from run to run.
type scaleState struct {
	x, scale []int
	of       func(i int) int
}

func scalesOf(c *op.Call) (func(i int) int, error) {
	s, _ := c.State.(*scaleState)
	if s != nil && slices.Equal(s.x, c.In[0].Shape) && slices.Equal(s.scale, c.In[1].Shape) {
		return s.of, nil
	}
	of, err := scalePlaces(c.Node, c.In[0].Shape, c.In[1].Shape)
	if err == nil {
		c.State = &scaleState{slices.Clone(c.In[0].Shape), slices.Clone(c.In[1].Shape), of}
	}
	return of, err
}

func quantizeEval(c *op.Call) error {
	of, err := scalesOf(c)
	if err != nil {
		return err
	}
	y, zero := c.Out[0], optional(c, 2)
	float32s := c.In[0].DType == onnxio.Float // the quotient is float32's there, which decides ties
	least, most := integerRange(y.DType)
	for i := range c.In[0].Len() {
		k := of(i)
		q := numberAt(c.In[0], i) / numberAt(c.In[1], k)
		if float32s {
			q = float64(float32(q))
		}
		if codes, ok := y.Data.([]onnxio.Code); ok {
			codes[i] = y.DType.Code(q+numberAt(zero, k), c.Node.Attrs.Int("saturate", 1) == 1, "")
			continue
		}
		if err := setNumber(y, i, max(least, min(most, math.RoundToEven(q)+numberAt(zero, k)))); err != nil {
			return err
		}
	}
	return nil
}

func dequantizeEval(c *op.Call) error {
	of, err := scalesOf(c)
	if err != nil {
		return err
	}
	zero := optional(c, 2)
	for i := range c.In[0].Len() {
		k := of(i)
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

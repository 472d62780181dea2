// onehot.go — OneHot, opset 9, 11 (negative indices): a new axis with one value where the index points and another elsewhere.

package operators

import (
	"fmt"
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

var oneHotOp = op.Def{Name: "OneHot", Since: 9,
	Attrs: op.Attributes{"axis": op.AnyValue},
	Shape: oneHotShape, Eval: oneHotEval, Interval: oneHotInterval, Linear: boxForms(oneHotInterval, op.Exact("exact"))}

// oneHotAxis is where the new axis stands.
func oneHotAxis(n *onnxio.Node, indices []int) (int, error) {
	return normalAxis(n.Attrs.Int("axis", -1), len(indices)+1)
}

func oneHotShape(n *onnxio.Node) ([]op.Type, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	axis, err := oneHotAxis(n, x)
	if err != nil {
		return nil, err
	}
	d := n.ConstInput(1)
	if d == nil || d.Len() != 1 {
		return nil, op.Unsupported(n, "Shape", "the depth must be one constant number")
	}
	v := n.Input(2)
	if v == nil || product(v.Shape) != 2 {
		return nil, fmt.Errorf("input 2 (values) must have 2 elements")
	}
	depth := numberAt(d, 0)
	if !(depth >= 1 && depth <= maxElements) {
		return nil, fmt.Errorf("a depth of %v", depth)
	}
	out := slices.Insert(slices.Clone(x), axis, int(depth))
	return []op.Type{{DType: v.DType, Shape: out}}, checkSizes(out)
}

func oneHotEval(c *op.Call) error {
	axis, err := oneHotAxis(c.Node, c.In[0].Shape)
	if err != nil {
		return err
	}
	depth, inner := c.Out[0].Shape[axis], product(c.In[0].Shape[axis:])
	switch v := c.In[2].Data.(type) {
	case []float32:
		return oneHot(c, v, depth, inner)
	case []float64:
		return oneHot(c, v, depth, inner)
	case []int64:
		return oneHot(c, v, depth, inner)
	case []int32:
		return oneHot(c, v, depth, inner)
	case []uint8:
		return oneHot(c, v, depth, inner)
	case []int8:
		return oneHot(c, v, depth, inner)
	case []bool:
		return oneHot(c, v, depth, inner)
	}
	return unsupportedType(c, "values of type %v", c.In[2].DType)
}

func oneHot[T any](c *op.Call, values []T, depth, inner int) error {
	y, ok := c.Out[0].Data.([]T)
	if !ok || len(values) != 2 {
		return fmt.Errorf("%d values of type %v for an output of type %v", len(values), c.In[2].DType, c.Out[0].DType)
	}
	for i := range y {
		y[i] = values[0]
	}
	for i := range c.In[0].Len() {
		at := numberAt(c.In[0], i)
		if math.IsNaN(at) {
			return unsupportedType(c, "indices of type %v", c.In[0].DType)
		}
		k := math.Trunc(at)
		if k < 0 && c.Node.Opset >= 11 {
			k += float64(depth)
		}
		if k >= 0 && k < float64(depth) {
			y[i/inner*depth*inner+int(k)*inner+i%inner] = values[1]
		}
	}
	return nil
}

// oneHotInterval has both values where the index may point or not, and one where that is decided.
func oneHotInterval(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
	types, err := oneHotShape(n)
	if err != nil {
		return nil, err
	}
	x := n.Inputs[0].Shape
	axis, err := oneHotAxis(n, x)
	if err != nil {
		return nil, err
	}
	depth, inner := types[0].Shape[axis], product(x[axis:])
	out := relax.NewBox(product(types[0].Shape))
	off, on := relax.Box{Lower: in[2].Lower[:1], Upper: in[2].Upper[:1]}, relax.Box{Lower: in[2].Lower[1:], Upper: in[2].Upper[1:]}
	for i := range out.Lower {
		k := i / inner % depth
		j := i/(depth*inner)*inner + i%inner
		lo, up := math.Trunc(in[0].Lower[j]), math.Trunc(in[0].Upper[j])
		can, must := !(up < float64(k)) && !(lo > float64(k)), lo == float64(k) && up == lo
		if n.Opset >= 11 {
			below := float64(k - depth)
			can, must = can || !(up < below) && !(lo > below), must || lo == below && up == lo
		}
		switch {
		case must:
			out.Lower[i], out.Upper[i] = on.Lower[0], on.Upper[0]
		case can:
			out.Lower[i], out.Upper[i] = min(on.Lower[0], off.Lower[0]), max(on.Upper[0], off.Upper[0])
		default:
			out.Lower[i], out.Upper[i] = off.Lower[0], off.Upper[0]
		}
	}
	return []relax.Box{out}, nil
}

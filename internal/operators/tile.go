// tile.go — Tile, opset 6, 13: x repeated along every axis.

package operators

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var tileEval = pickEval(tileTable)

var tileOp = op.Def{Name: "Tile", Since: 6, Shape: tileShape, Eval: tileEval, Gradient: tileGradient,
	Linear: movedBy(tileEval, 0), Couple: coupleTile}

func tileShape(n *onnxio.Node) ([]op.Type, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	times, err := intList(n, "repeats", 1, 0)
	if err != nil {
		return nil, err
	}
	if len(times) != len(x) {
		return nil, fmt.Errorf("repeats %v for a shape of %v", times, x)
	}
	out := make([]int, len(x))
	for i, k := range times {
		if k < 0 || k > maxElements || x[i] > 0 && k > maxElements/x[i] {
			return nil, fmt.Errorf("repeats %v for a shape of %v", times, x)
		}
		out[i] = x[i] * k
	}
	return []op.Type{{DType: n.Inputs[0].DType, Shape: out}}, checkSizes(out)
}

func tileTable(c *op.Call) ([]int32, error) {
	x := c.In[0].Shape
	src := strides(x)
	index := make([]int32, c.Out[0].Len())
	eachPlace(c.Out[0].Shape, func(i int, at []int) {
		from := 0
		for d, p := range at {
			from += p % x[d] * src[d]
		}
		index[i] = int32(from)
	})
	return index, nil
}

// tileGradient sums over the repeats.
func tileGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	var shape, axes []int
	for i, d := range n.Inputs[0].Shape {
		if d == 0 {
			return onlyFirst(e.Zeros(dy[0], n.Inputs[0].Shape...))
		}
		axes = append(axes, len(shape))
		shape = append(shape, dy[0].Shape[i]/d, d)
	}
	if len(shape) == 0 {
		return onlyFirst(dy[0])
	}
	return onlyFirst(e.Reshape(e.ReduceSum(e.Reshape(dy[0], shape...), axes...), n.Inputs[0].Shape...))
}

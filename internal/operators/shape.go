// shape.go — Shape, opset 1, 13, 15, 19 and later: the sizes of x as int64, cut to [start, end).

package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var shapeOp = op.Def{Name: "Shape", Since: 1, OfShape: true,
	Attrs: op.Attributes{"start": op.AnyValue, "end": op.AnyValue},
	Shape: shapeShape, Eval: shapeEval, Couple: coupleNothing}

// shapeRange reads start and end (opset 15).
func shapeRange(n *onnxio.Node, rank int) (lo, hi int) {
	lo, hi = 0, rank
	if n.Opset >= 15 {
		lo, hi = n.Attrs.Int("start", 0), n.Attrs.Int("end", rank)
		if lo < 0 {
			lo += rank
		}
		if hi < 0 {
			hi += rank
		}
		lo, hi = min(max(lo, 0), rank), min(max(hi, 0), rank)
	}
	return lo, max(lo, hi)
}

func shapeShape(n *onnxio.Node) ([]op.Type, error) {
	s, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	lo, hi := shapeRange(n, len(s))
	return []op.Type{{DType: onnxio.Int64, Shape: []int{hi - lo}}}, nil
}

func shapeEval(c *op.Call) error {
	s, y := c.In[0].Shape, c.Out[0].I64()
	lo, hi := shapeRange(c.Node, len(s))
	for i, d := range s[lo:hi] {
		y[i] = int64(d)
	}
	return nil
}

// size.go — Size, opset 1, 13, 19 and later: the number of elements of x as an int64 scalar.

package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var sizeOp = op.Def{
	Name: "Size", Since: 1, OfShape: true,
	Shape: func(n *onnxio.Node) ([]op.Type, error) {
		_, err := shapeOf(n, 0)
		return []op.Type{{DType: onnxio.Int64, Shape: []int{}}}, err
	},
	Eval: func(c *op.Call) error {
		c.Out[0].I64()[0] = int64(c.In[0].Len())
		return nil
	},
	Couple: coupleNothing,
}

// size.go — Size, opset 1, 13, 19 and later: the number of elements of x as an int64 scalar.

package op

import "github.com/shallow-waters/shoal/onnxio"

func init() {
	Register(Def{
		Name: "Size", Since: 1,
		Shape: func(n *onnxio.Node) ([]Type, error) {
			_, err := shapeOf(n, 0)
			return []Type{{onnxio.Int64, []int{}}}, err
		},
		Eval: func(c *Call) error {
			c.Out[0].I64()[0] = int64(c.In[0].Len())
			return nil
		},
		Couple: coupleNothing,
	})
}

// cumprod.go — CumProd, opset 26: running products along an axis, with or without the element itself, from the front or from the back.

package operators

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/op"
)

var cumProdOp = op.Def{Name: "CumProd", Since: 26, Attrs: op.Attributes{"exclusive": op.Boolean, "reverse": op.Boolean}, Shape: cumSumShape, Eval: cumProdEval}

func cumProdEval(c *op.Call) error {
	g, err := cumSumRows(c.In[0].Shape, c.In[1])
	if err != nil {
		return err
	}
	exclusive, reverse := c.Node.Attrs.Int("exclusive", 0) != 0, c.Node.Attrs.Int("reverse", 0) != 0
	switch x := c.In[0].Data.(type) {
	case []float32:
		return cumProd(g, c.Out[0].Data, x, exclusive, reverse)
	case []float64:
		return cumProd(g, c.Out[0].Data, x, exclusive, reverse)
	case []int64:
		return cumProd(g, c.Out[0].Data, x, exclusive, reverse)
	case []int32:
		return cumProd(g, c.Out[0].Data, x, exclusive, reverse)
	case []uint64:
		return cumProd(g, c.Out[0].Data, x, exclusive, reverse)
	case []uint32:
		return cumProd(g, c.Out[0].Data, x, exclusive, reverse)
	}
	return unsupportedType(c, "no products of type %v", c.In[0].DType)
}

func cumProd[T numeric](g gather, out any, x []T, exclusive, reverse bool) error {
	y, ok := out.([]T)
	if !ok || len(y) != len(x) {
		return fmt.Errorf("cannot multiply %T to %T", x, out)
	}
	for o := range g.outer {
		for k := range g.inner {
			product := T(1)
			for j := range g.size {
				if reverse {
					j = g.size - 1 - j
				}
				i := (o*g.size+j)*g.inner + k
				was := product
				product *= x[i]
				if y[i] = product; exclusive {
					y[i] = was
				}
			}
		}
	}
	return nil
}

// cumprod.go — CumProd, opset 26: running products along an axis, with or without the element itself, from the front or from the back.

package operators

import "github.com/shallow-waters/shoal/internal/op"

var cumProdOp = op.Def{Name: "CumProd", Since: 26, Attrs: op.Attributes{"exclusive": op.Boolean, "reverse": op.Boolean}, Shape: cumSumShape,
	Eval: cumProdEval}

func cumProdEval(c *op.Call) error { return cumEval(c, true) }

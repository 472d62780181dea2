// qlinearconv.go — QLinearConv, opset 10: Conv of quantized operands with an integer bias, quantized again.

package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var qLinearConvOp = op.Def{Name: "QLinearConv", Since: 10,
	Attrs: windowed.With(op.Attributes{"group": op.AnyValue}),
	Shape: qlinearShape(qlinearConvSums), Eval: qlinearEval(func(c *op.Call) (*integerSums, error) {
		return convSums(c.Node, c.In[0].Shape, c.In[3].Shape)
	}), Interval: qlinearInterval(qlinearConvSums), Linear: boxForms(qlinearInterval(qlinearConvSums), op.Exact("exact")),
	MACs: func(n *onnxio.Node) int { return filterMACs(n, 3) }, ZeroPoints: []int{2, 5, 7}, Varies: saturates(0, 3, true),
	Couple: coupleQLinearConv, Adapt: adaptGroups}

func qlinearConvSums(n *onnxio.Node) (*integerSums, error) {
	return convSums(n, n.Inputs[0].Shape, n.Inputs[3].Shape)
}

// convinteger.go — ConvInteger, opset 10: Conv of 8-bit integers less their zero points, in int32.

package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var convIntegerOp = op.Def{Name: "ConvInteger", Since: 10,
	Attrs: windowed.With(op.Attributes{"group": op.AnyValue}),
	Shape: integerShape(convIntegerSums), Eval: integerEval(convSumsOf),
	Interval: integerInterval(convIntegerSums), Linear: boxForms(integerInterval(convIntegerSums), op.Exact("exact")), MACs: convMACs,
	ZeroPoints: []int{2, 3}, Varies: saturates(0, 1, false), Couple: coupleConvInteger, Adapt: adaptGroups}

func convSumsOf(c *op.Call) (*integerSums, error) {
	return convSums(c.Node, c.In[0].Shape, c.In[1].Shape)
}

func convIntegerSums(n *onnxio.Node) (*integerSums, error) {
	return convSums(n, n.Inputs[0].Shape, n.Inputs[1].Shape)
}

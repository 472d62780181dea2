// convinteger.go — ConvInteger, opset 10: Conv of 8-bit integers less their zero points, in int32.

package op

import "github.com/shallow-waters/shoal/onnxio"

func init() {
	read := func(n *onnxio.Node) (*integerSums, error) { return convSums(n, n.Inputs[0].Shape, n.Inputs[1].Shape) }
	Register(Def{Name: "ConvInteger", Since: 10,
		Attrs: windowed.with(Attributes{"group": anyValue}),
		Shape: integerShape(read), Eval: integerEval(convSumsOf),
		Interval: integerInterval(read), Linear: boxForms(integerInterval(read), Exact("exact"))})
}

func convSumsOf(c *Call) (*integerSums, error) {
	return convSums(c.Node, c.In[0].Shape, c.In[1].Shape)
}

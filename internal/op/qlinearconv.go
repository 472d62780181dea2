// qlinearconv.go — QLinearConv, opset 10: Conv of quantized operands with an integer bias, quantized again.

package op

import "github.com/shallow-waters/shoal/onnxio"

func init() {
	read := func(n *onnxio.Node) (*integerSums, error) { return convSums(n, n.Inputs[0].Shape, n.Inputs[3].Shape) }
	Register(Def{Name: "QLinearConv", Since: 10,
		Attrs: windowed.with(Attributes{"group": anyValue}),
		Shape: qlinearShape(read), Eval: qlinearEval(func(c *Call) (*integerSums, error) {
			return convSums(c.Node, c.In[0].Shape, c.In[3].Shape)
		}), Interval: qlinearInterval(read), Linear: boxForms(qlinearInterval(read), Exact("exact"))})
}

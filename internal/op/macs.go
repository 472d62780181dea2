package op

import "github.com/shallow-waters/shoal/onnxio"

func convMACs(n *onnxio.Node) int {
	return onnxio.NumElements(n.Outputs[0].Shape) * onnxio.NumElements(n.Inputs[1].Shape[1:])
}

func convTransposeMACs(n *onnxio.Node) int {
	return onnxio.NumElements(n.Inputs[0].Shape) * onnxio.NumElements(n.Inputs[1].Shape[1:])
}

func gemmMACs(n *onnxio.Node) int {
	x, sum := n.Inputs[0].Shape, 1
	if n.Attrs.Int("transA", 0) != 0 {
		sum = 0
	}
	return onnxio.NumElements(n.Outputs[0].Shape) * x[sum]
}

func matmulMACs(n *onnxio.Node) int {
	x := n.Inputs[0].Shape
	return onnxio.NumElements(n.Outputs[0].Shape) * x[len(x)-1]
}

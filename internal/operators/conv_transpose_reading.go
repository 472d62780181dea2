package operators

import "github.com/shallow-waters/shoal/onnxio"

func convTransposeDeparts(n *onnxio.Node) string {
	x, w, err := convInputs(n)
	if err != nil {
		return ""
	}
	a, err := transposeWindow(n.Under(onnxio.Standard), x, w)
	b, err2 := transposeWindow(n.Under(onnxio.ONNXRuntime), x, w)
	if err != nil || err2 != nil || *a.window == *b.window {
		return ""
	}
	return "does not reach the size that auto_pad SAME asks for where the stride is larger than the kernel"
}

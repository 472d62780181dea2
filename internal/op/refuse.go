package op

import (
	"fmt"

	"github.com/shallow-waters/shoal/onnxio"
)

func Refuse(n *onnxio.Node, format string, args ...any) error {
	return Unsupported(n, "", fmt.Sprintf(format, args...))
}

// Unsupported says that a face of a valid node is missing.
func Unsupported(n *onnxio.Node, face, why string) error {
	return &onnxio.UnsupportedError{Node: n.Name, Op: n.Op, Domain: n.Domain, Opset: n.Opset, Face: face, Why: why}
}

package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// unsupportedType refuses elements that an Eval does not compute with.
func unsupportedType(c *op.Call, format string, d onnxio.DType) error {
	return op.Refuse(c.Node, format, d)
}

// variableShape refuses a shape that would depend on the values of an input.
func variableShape(n *onnxio.Node, i int, what string) error {
	return op.Refuse(n, "input %d (%s%s) is not constant: shapes that depend on data are not supported", i, n.Inputs[i].Name, what)
}

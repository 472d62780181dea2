package op

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/standard"
	"github.com/shallow-waters/shoal/onnxio"
)

// NodeForm is what the standard lets a node hold; Standard is the table of all forms.
type NodeForm = standard.Form

var Standard = standard.Table

// kindOf names an attribute's type as the table does.
func kindOf(v any) string {
	switch v.(type) {
	case float32:
		return "float"
	case int64:
		return "int"
	case string:
		return "string"
	case *onnxio.Tensor:
		return "tensor"
	case *onnxio.Graph:
		return "graph"
	case []float32:
		return "floats"
	case []int64:
		return "ints"
	case []string:
		return "strings"
	case []*onnxio.Tensor:
		return "tensors"
	case []*onnxio.Graph:
		return "graphs"
	}
	return fmt.Sprintf("%T", v)
}

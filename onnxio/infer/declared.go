package infer

import (
	"context"
	"fmt"
	"strings"

	"github.com/shallow-waters/shoal/onnxio"
)

// Contradiction is a declared shape that is not the one that a node gives. Runtimes take it for a slip of the exporter and go on, and so does shoal.
type Contradiction struct {
	Node     *onnxio.Node
	Value    string
	Declared []onnxio.Dim
	Computed []int
}

// String says it in a line.
func (c Contradiction) String() string {
	words := make([]string, len(c.Declared))
	for i, d := range c.Declared {
		switch {
		case d.Known():
			words[i] = fmt.Sprint(d.Size)
		case d.Name != "":
			words[i] = d.Name
		default:
			words[i] = "?"
		}
	}
	return fmt.Sprintf("node %q (%s): value %q is of shape %v and declared as [%s]: the declaration is passed over", c.Node.Name, c.Node.Op, c.Value, c.Computed,
		strings.Join(words, " "))
}

// Contradictions gives a context in which see is told of every contradiction that making a graph ready comes upon, of some more than once.
func Contradictions(ctx context.Context, see func(Contradiction)) context.Context {
	return context.WithValue(ctx, contradictionKey{}, see)
}

type contradictionKey struct{}

func contradicts(ctx context.Context, c Contradiction) {
	if see, _ := ctx.Value(contradictionKey{}).(func(Contradiction)); see != nil {
		see(c)
	}
}

// contradicted tells whether a shape with one sample is another one than was declared. Only the rank and inner sizes count: exporters leave the batch
// of the traced example behind, and an empty declaration where they know nothing.
func contradicted(dims []onnxio.Dim, shape []int) bool {
	if len(dims) == 0 || shape == nil {
		return false
	}
	if len(dims) != len(shape) {
		return true
	}
	for i, d := range dims {
		if i > 0 && d.Known() && d.Size != shape[i] {
			return true
		}
	}
	return false
}

// sameKind tells whether a value of one type may be declared as another: real numbers of any width, as computations here may be wider than the file.
func sameKind(a, b onnxio.DType) bool {
	return a == b || a.IsFloat() && b.IsFloat()
}

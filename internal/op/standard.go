package op

import (
	_ "embed"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"

	"github.com/shallow-waters/shoal/onnxio"
)

//go:generate sh -c "python3 ../../scripts/onnx_schemas.py > standard.txt"

// standardText is the standard's own word on what its operators may hold; see its first lines for the form.
//
//go:embed standard.txt
var standardText string

// NodeForm is what the standard lets a node hold from one opset on, until the next form of the operator.
type NodeForm struct {
	Since           int
	Inputs, Outputs int               // at most; math.MaxInt where there is no end
	Least           int               // inputs that cannot be left out at the end
	Attributes      map[string]string // their types
	Required        []string
}

// standardTable holds all forms by operator, oldest first, and the newest opset that the table knows.
type standardTable struct {
	Newest int
	Forms  map[string][]*NodeForm
}

// Standard reads the table once. A mistake in it is ours.
var Standard = sync.OnceValue(func() *standardTable {
	s := &standardTable{Forms: map[string][]*NodeForm{}}
	for i, line := range strings.Split(strings.TrimSpace(standardText), "\n") {
		if err := s.read(strings.Fields(line)); err != nil {
			panic(fmt.Sprintf("op: line %d of standard.txt: %v", i+1, err))
		}
	}
	return s
})

func (s *standardTable) read(words []string) (err error) {
	number := func(w string) int {
		n, e := strconv.Atoi(w)
		if e != nil && err == nil {
			err = e
		}
		return n
	}
	span := func(w string) (least, most int) {
		a, b, _ := strings.Cut(w, "-")
		if b == "*" {
			return number(a), math.MaxInt
		}
		return number(a), number(b)
	}
	switch {
	case len(words) == 0 || words[0] == "#":
		return nil
	case words[0] == "opset" && len(words) == 2:
		s.Newest = number(words[1])
		return err
	case len(words) < 4:
		return fmt.Errorf("%d words", len(words))
	}
	f := &NodeForm{Since: number(words[1]), Attributes: map[string]string{}}
	f.Least, f.Inputs = span(words[2])
	_, f.Outputs = span(words[3])
	for _, w := range words[4:] {
		name, kind, _ := strings.Cut(w, "=")
		kind, needed := strings.CutSuffix(kind, "!")
		if needed {
			f.Required = append(f.Required, name)
		}
		f.Attributes[name] = kind
	}
	s.Forms[words[0]] = append(s.Forms[words[0]], f)
	return err
}

// At gives the form that is in force at an opset; nil where there is none.
func (s *standardTable) At(op string, opset int) *NodeForm {
	var out *NodeForm
	for _, f := range s.Forms[op] {
		if f.Since <= opset {
			out = f
		}
	}
	return out
}

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

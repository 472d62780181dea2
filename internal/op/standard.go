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

// nodeForm is what the standard lets a node hold from one opset on, until the next form of the operator.
type nodeForm struct {
	since           int
	inputs, outputs int               // at most; math.MaxInt where there is no end
	least           int               // inputs that cannot be left out at the end
	attributes      map[string]string // their types
	required        []string
}

// standardTable holds all forms by operator, oldest first, and the newest opset that the table knows.
type standardTable struct {
	newest int
	forms  map[string][]*nodeForm
}

// theStandard reads the table once. A mistake in it is ours.
var theStandard = sync.OnceValue(func() *standardTable {
	s := &standardTable{forms: map[string][]*nodeForm{}}
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
		s.newest = number(words[1])
		return err
	case len(words) < 4:
		return fmt.Errorf("%d words", len(words))
	}
	f := &nodeForm{since: number(words[1]), attributes: map[string]string{}}
	f.least, f.inputs = span(words[2])
	_, f.outputs = span(words[3])
	for _, w := range words[4:] {
		name, kind, _ := strings.Cut(w, "=")
		kind, needed := strings.CutSuffix(kind, "!")
		if needed {
			f.required = append(f.required, name)
		}
		f.attributes[name] = kind
	}
	s.forms[words[0]] = append(s.forms[words[0]], f)
	return err
}

// at gives the form that is in force at an opset; nil where there is none.
func (s *standardTable) at(op string, opset int) *nodeForm {
	var out *nodeForm
	for _, f := range s.forms[op] {
		if f.since <= opset {
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

// Package standard is the ONNX standard's own word on what a node of its operators may hold, opset by opset: a table of facts, made from the
// schemas of PyPI's onnx. It knows nothing of files or graphs, so that readers and writers of both may ask it.
package standard

import (
	_ "embed"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
)

//go:generate sh -c "python3 ../../scripts/onnx_schemas.py > standard.txt"

// text is the standard's own word on what its operators may hold; see its first lines for the form.
//
//go:embed standard.txt
var text string

// Oldest is the opset from which on the table is whole.
const Oldest = 7

// Form is what the standard lets a node hold from one opset on, until the next form of the operator.
type Form struct {
	Since           int
	Inputs, Outputs int               // at most; math.MaxInt where there is no end
	Least           int               // inputs that cannot be left out at the end
	LeastOutputs    int               // outputs that must be there, and have a name even where nobody reads them
	Attributes      map[string]string // their types
	Required        []string
	Deprecated      bool // from this opset on, no file may have it
}

// Forms holds all forms by operator, oldest first, and the newest opset that the table knows.
type Forms struct {
	Newest int
	Forms  map[string][]*Form
}

// Endless tells whether the last input, or the last output, may stand any number of times: those that do may also be empty.
func (f *Form) Endless() (inputs, outputs bool) {
	return f.Inputs == math.MaxInt, f.Outputs == math.MaxInt
}

// MayDrop tells whether output k may be without a name.
func (f *Form) MayDrop(k int) bool {
	_, endless := f.Endless()
	return k >= f.LeastOutputs && !endless
}

// Table reads the table once. A mistake in it is ours.
var Table = sync.OnceValue(func() *Forms {
	s := &Forms{Forms: map[string][]*Form{}}
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		if err := s.read(strings.Fields(line)); err != nil {
			panic(fmt.Sprintf("standard: line %d of standard.txt: %v", i+1, err))
		}
	}
	return s
})

func (s *Forms) read(words []string) (err error) {
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
	f := &Form{Since: number(words[1]), Attributes: map[string]string{}}
	f.Least, f.Inputs = span(words[2])
	f.LeastOutputs, f.Outputs = span(words[3])
	for _, w := range words[4:] {
		if w == "deprecated" {
			f.Deprecated = true
			continue
		}
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
func (s *Forms) At(op string, opset int) *Form {
	var out *Form
	for _, f := range s.Forms[op] {
		if f.Since <= opset {
			out = f
		}
	}
	return out
}

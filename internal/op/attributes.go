package op

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/shallow-waters/shoal/onnxio"
)

// Attributes are the attributes that a definition knows, with the values that it takes. What is not in the list is refused by name: the
// types, and the opsets that have an attribute, are the standard's (standard.txt).
type Attributes map[string]Allowed

// Allowed lists the values that an attribute may have; nil for any that the faces take.
type Allowed []choice

// choice is one value, from an opset on and up to another; 0 for no end.
type choice struct {
	Value    any
	from, to int
}

// AnyValue is left to the faces. NoEffect changes nothing of what shoal computes: the comment beside it says why.
var AnyValue, NoEffect Allowed = nil, Allowed{}

// Boolean is an integer that stands for no or yes. The standard gives no other number a meaning, and runtimes differ in what they make of one.
var Boolean = OneOf(0, 1)

// OneOf allows strings or integers.
func OneOf(values ...any) (a Allowed) {
	for _, v := range values {
		if i, ok := v.(int); ok {
			v = int64(i)
		}
		a = append(a, choice{Value: v})
	}
	return a
}

// From allows more values from an opset on.
func (a Allowed) From(opset int, values ...any) Allowed {
	return append(slices.Clone(a), FromTo(opset, 0, values...)...)
}

// FromTo allows values from one opset up to another.
func FromTo(from, to int, values ...any) Allowed {
	a := OneOf(values...)
	for i := range a {
		a[i].from, a[i].to = from, to
	}
	return a
}

func (a Allowed) has(v any, opset int) bool {
	for _, c := range a {
		if c.Value == v && opset >= c.from && (c.to == 0 || opset <= c.to) {
			return true
		}
	}
	return len(a) == 0
}

func (a Allowed) words(opset int) string {
	var out []string
	for _, c := range a {
		if a.has(c.Value, opset) {
			out = append(out, fmt.Sprint(c.Value))
		}
	}
	return strings.Join(out, ", ")
}

func (a Attributes) With(more Attributes) Attributes {
	out := Attributes{}
	for _, m := range []Attributes{a, more} {
		for k, v := range m {
			out[k] = v
		}
	}
	return out
}

// check compares a node with the standard's form at its opset and with what the definition knows of it. Nothing of a node may be passed
// over: an attribute, input or output that nobody reads would make another network of the file.
func (d *Def) check(n *onnxio.Node) error {
	if d.Domain != "" {
		return d.attributes(n, nil)
	}
	s := Standard()
	if n.Unraised != "" {
		return Refuse(n, "%s", n.Unraised)
	}
	if n.Opset < MinOpset || n.Opset > s.Newest {
		return Refuse(n, "shoal reads opsets %d to %d; convert the file with the exporter", MinOpset, s.Newest)
	}
	f := s.At(n.Op, n.Opset)
	if f == nil || d.Since > n.Opset {
		return Refuse(n, "the standard has it from opset %d on", max(d.Since, s.Forms[n.Op][0].Since))
	}
	if through := cmp.Or(d.Through, MaxOpset); f.Since > through {
		return Refuse(n, "opset %d changed it, and shoal knows its forms up to opset %d", f.Since, through)
	}
	if k := used(n.Inputs); k > f.Inputs {
		return Refuse(n, "it has %d inputs, and the standard's operator at most %d", k, f.Inputs)
	}
	if k := used(n.Outputs); k > f.Outputs {
		return Refuse(n, "it has %d outputs, and the standard's operator at most %d", k, f.Outputs)
	}
	return d.attributes(n, f)
}

// used counts up to the last that is there.
func used(vs []*onnxio.Value) int {
	k := len(vs)
	for k > 0 && vs[k-1] == nil {
		k--
	}
	return k
}

// attributes checks them in the order of their names. A nil form is that of an operator outside the standard.
func (d *Def) attributes(n *onnxio.Node, f *NodeForm) error {
	for _, name := range sortedNames(n.Attrs) {
		v := n.Attrs[name]
		allowed, known := d.Attrs[name]
		if f != nil {
			kind, there := f.Attributes[name]
			switch {
			case !there:
				return Refuse(n, "attribute %q is none of the operator's at this opset", name)
			case kind != kindOf(v):
				return Refuse(n, "attribute %q is of type %s where %s is needed", name, kindOf(v), kind)
			}
		}
		if !known {
			return Refuse(n, "attribute %q is not read", name)
		}
		if !allowed.has(v, n.Opset) {
			return Refuse(n, "attribute %q is %s; known are %s", name, quoted(v), allowed.words(n.Opset))
		}
	}
	if f == nil {
		return nil
	}
	for _, name := range f.Required {
		if !n.Attrs.Has(name) {
			return &onnxio.NodeError{Node: n.Name, Op: n.Op, Err: fmt.Errorf("attribute %q is missing", name)}
		}
	}
	return nil
}

func quoted(v any) string {
	if s, ok := v.(string); ok {
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprint(v)
}

func sortedNames(a onnxio.Attrs) []string {
	names := make([]string, 0, len(a))
	for k := range a {
		names = append(names, k)
	}
	slices.Sort(names)
	return names
}

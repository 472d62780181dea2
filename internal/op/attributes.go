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
	value    any
	from, to int
}

// anyValue is left to the faces. noEffect changes nothing of what shoal computes: the comment beside it says why.
var anyValue, noEffect Allowed = nil, Allowed{}

// boolean is an integer that stands for no or yes. The standard gives no other number a meaning, and runtimes differ in what they make of one.
var boolean = oneOf(0, 1)

// oneOf allows strings or integers.
func oneOf(values ...any) (a Allowed) {
	for _, v := range values {
		if i, ok := v.(int); ok {
			v = int64(i)
		}
		a = append(a, choice{value: v})
	}
	return a
}

// from allows more values from an opset on.
func (a Allowed) from(opset int, values ...any) Allowed {
	return append(slices.Clone(a), fromTo(opset, 0, values...)...)
}

// fromTo allows values from one opset up to another.
func fromTo(from, to int, values ...any) Allowed {
	a := oneOf(values...)
	for i := range a {
		a[i].from, a[i].to = from, to
	}
	return a
}

func (a Allowed) has(v any, opset int) bool {
	for _, c := range a {
		if c.value == v && opset >= c.from && (c.to == 0 || opset <= c.to) {
			return true
		}
	}
	return len(a) == 0
}

func (a Allowed) words(opset int) string {
	var out []string
	for _, c := range a {
		if a.has(c.value, opset) {
			out = append(out, fmt.Sprint(c.value))
		}
	}
	return strings.Join(out, ", ")
}

// windowed are the attributes of everything that slides a window; more are added by with.
var windowed = Attributes{
	"auto_pad":     oneOf("NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID", ""), // exporters write nothing for NOTSET
	"kernel_shape": anyValue, "strides": anyValue, "dilations": anyValue, "pads": anyValue,
}

// reducing are those of the reductions.
var reducing = Attributes{"axes": anyValue, "keepdims": boolean, "noop_with_empty_axes": boolean}

// recurrent are those of the recurrent operators. The alphas and betas belong to activations that are refused.
var recurrent = Attributes{
	"activations": anyValue, "activation_alpha": noEffect, "activation_beta": noEffect, "clip": anyValue,
	"direction": oneOf("forward", "reverse", "bidirectional"), "hidden_size": anyValue, "layout": oneOf(0),
}

// stashed is the type in which a normalisation takes its statistics: float32 or better.
var stashed = oneOf(int(onnxio.Float), int(onnxio.Double))

func (a Attributes) with(more Attributes) Attributes {
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
	s := theStandard()
	if n.Opset < MinOpset || n.Opset > s.newest {
		return refuse(n, "shoal reads opsets %d to %d; convert the file with the exporter", MinOpset, s.newest)
	}
	f := s.at(n.Op, n.Opset)
	if f == nil || d.Since > n.Opset {
		return refuse(n, "the standard has it from opset %d on", max(d.Since, s.forms[n.Op][0].since))
	}
	if through := cmp.Or(d.Through, MaxOpset); f.since > through {
		return refuse(n, "opset %d changed it, and shoal knows its forms up to opset %d", f.since, through)
	}
	if k := used(n.Inputs); k > f.inputs {
		return refuse(n, "it has %d inputs, and the standard's operator at most %d", k, f.inputs)
	}
	if k := used(n.Outputs); k > f.outputs {
		return refuse(n, "it has %d outputs, and the standard's operator at most %d", k, f.outputs)
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
func (d *Def) attributes(n *onnxio.Node, f *nodeForm) error {
	for _, name := range sortedNames(n.Attrs) {
		v := n.Attrs[name]
		allowed, known := d.Attrs[name]
		if f != nil {
			kind, there := f.attributes[name]
			switch {
			case !there:
				return refuse(n, "attribute %q is none of the operator's at this opset", name)
			case kind != kindOf(v):
				return refuse(n, "attribute %q is of type %s where %s is needed", name, kindOf(v), kind)
			}
		}
		if !known {
			return refuse(n, "attribute %q is not read", name)
		}
		if !allowed.has(v, n.Opset) {
			return refuse(n, "attribute %q is %s; known are %s", name, quoted(v), allowed.words(n.Opset))
		}
	}
	if f == nil {
		return nil
	}
	for _, name := range f.required {
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

// unsupportedType refuses elements that an Eval does not compute with.
func unsupportedType(c *Call, format string, d onnxio.DType) error { return refuse(c.Node, format, d) }

// variableShape refuses a shape that would depend on the values of an input.
func variableShape(n *onnxio.Node, i int, what string) error {
	return refuse(n, "input %d (%s%s) is not constant: shapes that depend on data are not supported", i, n.Inputs[i].Name, what)
}

func refuse(n *onnxio.Node, format string, args ...any) error {
	return unsupported(n, "", fmt.Sprintf(format, args...))
}

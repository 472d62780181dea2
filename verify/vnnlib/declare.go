package vnnlib

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Network is what a declare-network of VNN-LIB 2.x says.
type Network struct {
	Name string
	// EqualTo or IsomorphicTo name an earlier network: of the same model file, or of the same structure. At most one is set.
	EqualTo, IsomorphicTo string
	Inputs                []Variable
	Hidden, Outputs       []Variable
}

// Variable is a tensor of a network.
type Variable struct {
	Name        string
	Type        Type
	Shape       []int
	Node        string // of a hidden node: the ONNX name of the value
	Initialized bool   // of an input: it has the model's default value
}

// Elements is how many numbers the tensor has.
func (v Variable) Elements() int {
	n := 1
	for _, d := range v.Shape {
		n *= d
	}
	return n
}

// Type is an element type by its name in ONNX's description of tensor element types, or Real.
type Type string

// The types that shoal knows more of than the name. Real stands for the network as a function of real numbers.
const (
	Real    Type = "real"
	Float32 Type = "float32"
	Float64 Type = "float64"
)

// types are those of the standard, with what their values are: f floating-point numbers or reals, i integers, and others that no comparison is of.
var types = map[Type]byte{Real: 'f', Float32: 'f', Float64: 'f', "float16": 'f', "bfloat16": 'f', "float8e4m3fn": 'f', "float8e4m3fnuz": 'f',
	"float8e5m2": 'f', "float8e5m2fnuz": 'f', "float8e8m0": 'f', "float4e2m1": 'f',
	"int2": 'i', "int4": 'i', "int8": 'i', "int16": 'i', "int32": 'i', "int64": 'i',
	"uint2": 'i', "uint4": 'i', "uint8": 'i', "uint16": 'i', "uint32": 'i', "uint64": 'i',
	"bool": 'b', "string": 's', "complex64": 'c', "complex128": 'c'}

// maxTensor limits the elements of all variables together.
const maxTensor = 1 << 26

// declarations are a file's networks, and where each variable's elements are numbered from.
type declarations struct {
	networks []Network
	names    map[string]bool // of networks and variables
	places   map[string]place
	inputs   int
	values   int // of hidden nodes and outputs
	version  string
	kind     Type // of the first variable
}

// place is a variable with the number of its first element. Outputs and hidden nodes are numbered from -1 downward.
type place struct {
	v     *Variable
	first int
	value bool
}

// second tells whether the file says that it is of version 2 or later.
func (p *parser) second() bool {
	pos, at := p.pos, p.at
	defer func() { p.pos, p.at = pos, at }()
	return string(p.next()) == "(" && string(p.next()) == "vnnlib-version"
}

// file2 reads a file of VNN-LIB 2.x: the version, the networks, and the assertions.
func (p *parser) file2() error {
	p.marks = true
	p.declared = &declarations{names: map[string]bool{}, places: map[string]place{}}
	p.next()
	p.next()
	if err := p.version(); err != nil {
		return err
	}
	err := p.each(func(cmd []byte) error {
		switch string(cmd) {
		case "declare-network":
			if len(p.asserts) > 0 {
				return p.errorf(false, "a network is declared behind an assertion")
			}
			return p.network()
		case "assert":
			if len(p.declared.networks) == 0 {
				return p.errorf(false, "an assertion before any network")
			}
			return p.assert()
		case "vnnlib-version":
			return p.errorf(false, "a second vnnlib-version")
		}
		return p.errorf(true, "the command %q", clip(cmd))
	})
	if err != nil {
		return err
	}
	if len(p.declared.networks) == 0 {
		return p.errorf(false, "no network is declared")
	}
	return nil
}

// version reads <major.minor>. A minor version changes nothing of what was valid before; what a later one adds is refused where it stands.
func (p *parser) version() error {
	t := string(p.next())
	var major, minor int
	if n, err := fmt.Sscanf(t, "<%d.%d>", &major, &minor); n != 2 || err != nil || t != fmt.Sprintf("<%d.%d>", major, minor) {
		return p.errorf(false, "the version %q: want one such as <2.0>", clip([]byte(t)))
	}
	if major != 2 {
		return p.errorf(true, "VNN-LIB %d.%d; versions 2.x begin with vnnlib-version, and files of 1.0 have none", major, minor)
	}
	p.declared.version = strings.Trim(t, "<>")
	return p.expect(")")
}

// network reads a declare-network behind its first word.
func (p *parser) network() error {
	var n Network
	var err error
	if n.Name, err = p.newName("network"); err != nil {
		return err
	}
	const (
		relation = iota
		inputs
		hidden
		outputs
	)
	stage := relation
	for string(p.peek()) == "(" {
		p.next()
		word := string(p.next())
		at := p.at
		next := map[string]int{"equal-to": relation, "isomorphic-to": relation, "declare-input": inputs, "declare-hidden": hidden,
			"declare-output": outputs}
		want, known := next[word]
		switch {
		case !known:
			return p.errorf(true, "%q in a network", clip([]byte(word)))
		case want < stage:
			return p.errorf(false, "%s stands too late: the order is equal-to or isomorphic-to, inputs, hidden nodes, outputs", word)
		}
		stage = want
		if want == relation {
			if err := p.relation(&n, word); err != nil {
				return err
			}
			continue
		}
		v, err := p.variable2(word)
		if err != nil {
			return err
		}
		switch want {
		case inputs:
			n.Inputs = append(n.Inputs, v)
		case hidden:
			n.Hidden = append(n.Hidden, v)
		default:
			n.Outputs = append(n.Outputs, v)
		}
		p.at = at
	}
	if err := p.expect(")"); err != nil {
		return err
	}
	if len(n.Inputs) == 0 || len(n.Outputs) == 0 {
		return p.errorf(false, "network %s declares %d inputs and %d outputs", n.Name, len(n.Inputs), len(n.Outputs))
	}
	if err := p.related(&n); err != nil {
		return err
	}
	d := p.declared
	d.networks = append(d.networks, n)
	last := &d.networks[len(d.networks)-1]
	for i := range last.Inputs {
		v := &last.Inputs[i]
		d.places[v.Name] = place{v: v, first: d.inputs}
		if !v.Initialized { // it varies
			d.inputs += v.Elements()
		}
	}
	for _, list := range [][]Variable{last.Hidden, last.Outputs} {
		for i := range list {
			d.places[list[i].Name] = place{v: &list[i], first: -1 - d.values, value: true}
			d.values += list[i].Elements()
		}
	}
	if d.inputs > maxTensor || d.values > maxTensor {
		return p.errorf(true, "variables of more than %d elements together", maxTensor)
	}
	return nil
}

// newName reads a name that nothing has yet.
func (p *parser) newName(what string) (string, error) {
	t := p.next()
	if !isName(t) {
		return "", p.errorf(false, "%q is no name of a %s: a letter, then letters, digits and underscores", clip(t), what)
	}
	if name := string(t); !p.declared.names[name] {
		p.declared.names[name] = true
		return name, nil
	}
	return "", p.errorf(false, "%s is declared twice", clip(t))
}

// isName also takes hyphens behind the first letter: the standard's grammar has none, an example in its text has.
func isName(t []byte) bool {
	for i, c := range t {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || !(c >= '0' && c <= '9' || c == '_' || c == '-')) {
			return false
		}
	}
	return len(t) > 0
}

func (p *parser) relation(n *Network, word string) error {
	t := p.next()
	if n.EqualTo+n.IsomorphicTo != "" {
		return p.errorf(false, "network %s has a second equal-to or isomorphic-to", n.Name)
	}
	if word == "equal-to" {
		n.EqualTo = string(t)
	} else {
		n.IsomorphicTo = string(t)
	}
	if p.other(n) == nil {
		return p.errorf(false, "%s %s: no network of that name is declared before", word, clip(t))
	}
	return p.expect(")")
}

// other is the network that one is equal or isomorphic to.
func (p *parser) other(n *Network) *Network {
	for i := range p.declared.networks {
		if o := &p.declared.networks[i]; o.Name == n.EqualTo || o.Name == n.IsomorphicTo {
			return o
		}
	}
	return nil
}

// related checks a network against the one that it names.
func (p *parser) related(n *Network) error {
	o := p.other(n)
	if o == nil {
		return nil
	}
	equal := n.EqualTo != ""
	if o.EqualTo+o.IsomorphicTo != "" {
		return p.errorf(false, "network %s names %s, which names another itself", n.Name, o.Name)
	}
	alike := func(a, b Variable) bool { return slices.Equal(a.Shape, b.Shape) && (!equal || a.Type == b.Type) }
	if !slices.EqualFunc(n.Inputs, o.Inputs, alike) || !slices.EqualFunc(n.Outputs, o.Outputs, alike) {
		return p.errorf(false, "the inputs and outputs of %s and %s differ in number, type or shape", n.Name, o.Name)
	}
	for _, a := range n.Hidden {
		for _, b := range o.Hidden {
			if equal && a.Node == b.Node && !alike(a, b) {
				return p.errorf(false, "%s and %s are the same hidden node and differ in type or shape", a.Name, b.Name)
			}
		}
	}
	return nil
}

// variable2 reads a variable behind declare-input, declare-hidden or declare-output.
func (p *parser) variable2(word string) (v Variable, err error) {
	if v.Name, err = p.newName("variable"); err != nil {
		return v, err
	}
	t := p.next()
	if v.Type = Type(t); string(t) == "Real" {
		v.Type = Real
	}
	if types[v.Type] == 0 {
		return v, p.errorf(true, "the element type %q", clip(t))
	}
	if first := &p.declared.kind; *first == "" {
		*first = v.Type
	} else if (*first == Real) != (v.Type == Real) {
		return v, p.errorf(false, "%s is of type %s, and what is declared before of %s: where one variable is real, all are", v.Name, v.Type, *first)
	}
	if v.Shape, err = p.shape(); err != nil {
		return v, err
	}
	if word == "declare-hidden" {
		t := p.next()
		if len(t) < 2 || t[0] != '"' || t[len(t)-1] != '"' {
			return v, p.errorf(false, "%q where the ONNX name of a node's output, in double quotes, is needed", clip(t))
		}
		if v.Node, err = p.unquote(t); err != nil {
			return v, err
		}
	}
	if word == "declare-input" && string(p.peek()) == "initialized" {
		p.next()
		v.Initialized = true
	}
	return v, p.expect(")")
}

func (p *parser) unquote(t []byte) (string, error) {
	var b strings.Builder
	for i := 1; i < len(t)-1; i++ {
		c := t[i]
		if c == '\\' {
			i++
			switch t[i] {
			case 'n':
				c = '\n'
			case 't':
				c = '\t'
			case '"', '\\':
				c = t[i]
			default:
				return "", p.errorf(false, "\\%c in a name", t[i])
			}
			if i == len(t)-1 {
				return "", p.errorf(false, "a string that does not end")
			}
		}
		b.WriteByte(c)
	}
	return b.String(), nil
}

// shape reads [n,n,...], or [] of a scalar.
func (p *parser) shape() ([]int, error) {
	if err := p.expect("["); err != nil {
		return nil, err
	}
	shape := []int{}
	if string(p.peek()) == "]" {
		p.next()
		return shape, nil
	}
	elements := 1
	for {
		d, err := p.whole(maxTensor)
		if err != nil {
			return nil, err
		}
		if d == 0 {
			return nil, p.errorf(true, "a dimension of 0")
		}
		if shape = append(shape, d); elements > maxTensor/d || len(shape) > 64 {
			return nil, p.errorf(true, "a variable of more than %d elements", maxTensor)
		}
		elements *= d
		switch t := p.next(); string(t) {
		case ",":
		case "]":
			return shape, nil
		default:
			return nil, p.errorf(false, "%q where \",\" or \"]\" is needed", clip(t))
		}
	}
}

// whole reads a number without sign, at most most.
func (p *parser) whole(most int) (int, error) {
	t := p.next()
	n := 0
	for _, c := range t {
		if c < '0' || c > '9' || n > math.MaxInt32 {
			n = -1
			break
		}
		n = 10*n + int(c-'0')
	}
	if len(t) == 0 || n < 0 || n > most {
		return 0, p.errorf(false, "%q where a number from 0 to %d is needed", clip(t), most)
	}
	return n, nil
}

// element reads an element of a variable whose name is t; ok is false where t cannot be a name.
func (p *parser) element(t []byte) (v int, ok bool, err error) {
	if !isName(t) {
		return 0, false, nil
	}
	at := p.at
	n, known := p.declared.places[string(t)]
	if !known {
		return 0, true, p.errorf(false, "%s is not declared", clip(t))
	}
	flat, rank := 0, 0
	if string(p.peek()) == "[" {
		p.next()
		for end := false; !end; rank++ {
			if rank == len(n.v.Shape) {
				return 0, true, p.errorf(false, "%s has %d dimensions and is given more indices", n.v.Name, rank)
			}
			i, err := p.whole(n.v.Shape[rank] - 1)
			if err != nil {
				return 0, true, err
			}
			flat = flat*n.v.Shape[rank] + i
			switch t := p.next(); string(t) {
			case ",":
			case "]":
				end = true
			default:
				return 0, true, p.errorf(false, "%q where \",\" or \"]\" is needed", clip(t))
			}
		}
	}
	p.at = at
	switch {
	case rank != len(n.v.Shape):
		return 0, true, p.errorf(false, "%s has %d dimensions and is given %d indices", n.v.Name, len(n.v.Shape), rank)
	case n.v.Initialized:
		return 0, true, p.errorf(true, "%s, an input that has the model's own value, in an assertion", n.v.Name)
	case types[n.v.Type] != 'f' && types[n.v.Type] != 'i':
		return 0, true, p.errorf(true, "%s of type %s in a comparison", n.v.Name, n.v.Type)
	case p.kind != nil && *p.kind != n.v.Type:
		return 0, true, p.errorf(false, "%s is of type %s, in a comparison of %s: the standard converts none", n.v.Name, n.v.Type, *p.kind)
	}
	p.kind = &n.v.Type
	if n.value {
		return n.first - flat, true, nil
	}
	return n.first + flat, true, nil
}

// typed checks the numbers of a comparison against the type of its variables.
func (p *parser) typed() error {
	if p.declared != nil && p.kind != nil && types[*p.kind] == 'i' && p.fraction >= 0 {
		p.at = p.fraction
		return p.errorf(false, "a number that is no integer, in a comparison of %s", *p.kind)
	}
	return nil
}

package gate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/xrash/smetrics"
)

// worded is a value that a text of a policy is read into.
type worded interface{ read(text string) error }

// reader reads a tree of YAML into the types of policy.go and notes what does not fit.
//
// A struct's fields are the keys of a mapping by their yaml tags; a field of type place gets where the mapping stands; a field with the tag ",key"
// makes a slice of such structs out of a mapping of names. What a type does not know is a fault, also a key that stands there twice.
type reader struct {
	path   string
	lines  []string
	faults Faults
}

func (r *reader) fault(at place, hint, format string, args ...any) {
	f := &Fault{Path: r.path, Line: max(1, at.line), Column: max(1, at.column), Why: fmt.Sprintf(format, args...), Hint: hint}
	if f.Line <= len(r.lines) {
		f.Text = r.lines[f.Line-1]
	}
	r.faults = append(r.faults, f)
}

// end are the faults in their order; nil where there is none.
func (r *reader) end() error {
	if len(r.faults) == 0 {
		return nil
	}
	slices.SortStableFunc(r.faults, func(a, b *Fault) int { return a.Line - b.Line })
	return r.faults
}

func at(n *yaml.Node) place { return place{n.Line, n.Column} }

var yamlLine = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`line (\d+): (.*)`) })

// tree reads YAML of one document.
func (r *reader) tree(text []byte) *yaml.Node {
	d := yaml.NewDecoder(bytes.NewReader(text))
	var root, more yaml.Node
	if err := d.Decode(&root); err != nil {
		if errors.Is(err, io.EOF) {
			r.fault(place{1, 1}, "shoal init MODEL --data KIND:PATH writes one", "the policy is empty")
			return nil
		}
		why, line := strings.TrimPrefix(err.Error(), "yaml: "), 1
		if m := yamlLine().FindStringSubmatch(why); m != nil {
			line, _ = strconv.Atoi(m[1])
			why = m[2]
		}
		r.fault(place{line, 1}, "", "this is no YAML: %s", why)
		return nil
	}
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		r.fault(place{max(1, more.Line), 1}, "", "more than one YAML document")
		return nil
	}
	if len(root.Content) == 0 {
		r.fault(place{1, 1}, "shoal init MODEL --data KIND:PATH writes one", "the policy is empty")
		return nil
	}
	return root.Content[0]
}

var placeType = reflect.TypeFor[place]()

// value reads a node into v.
func (r *reader) value(n *yaml.Node, v reflect.Value, what string) {
	if n.Kind == yaml.AliasNode {
		r.fault(at(n), "write it out", "%s: anchors and aliases are not read", what)
		return
	}
	if v.Kind() == reflect.Pointer {
		p := reflect.New(v.Type().Elem())
		r.value(n, p.Elem(), what)
		v.Set(p)
		return
	}
	if w, ok := v.Addr().Interface().(worded); ok {
		if n.Kind != yaml.ScalarNode {
			r.fault(at(n), "", "%s: want one value", what)
		} else if err := w.read(n.Value); err != nil {
			r.fault(at(n), "", "%s: %v", what, err)
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		r.mapping(n, v, what)
	case reflect.Slice:
		r.list(n, v, what)
	default:
		r.scalar(n, v, what)
	}
}

func (r *reader) scalar(n *yaml.Node, v reflect.Value, what string) {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		r.fault(at(n), "", "%s: want a value", what)
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(n.Value)
	case reflect.Bool:
		b, err := strconv.ParseBool(n.Value)
		if err != nil || n.Tag != "!!bool" {
			r.fault(at(n), "", "%s: want true or false, not %q", what, n.Value)
		}
		v.SetBool(b)
	case reflect.Int, reflect.Int64:
		k, err := strconv.ParseInt(n.Value, 10, 64)
		if err != nil || k < 0 {
			r.fault(at(n), "", "%s: want a whole number of at least 0, not %q", what, n.Value)
		}
		v.SetInt(k)
	case reflect.Uint64:
		k, err := strconv.ParseUint(n.Value, 10, 64)
		if err != nil {
			r.fault(at(n), "", "%s: want a whole number of at least 0, not %q", what, n.Value)
		}
		v.SetUint(k)
	default:
		panic("a policy has no " + v.Type().String())
	}
}

// list reads a sequence, or one value for a list of one, or a mapping of names.
func (r *reader) list(n *yaml.Node, v reflect.Value, what string) {
	of := v.Type().Elem()
	key := -1
	if of.Kind() == reflect.Struct {
		for i := range of.NumField() {
			if of.Field(i).Tag.Get("yaml") == ",key" {
				key = i
			}
		}
	}
	if key >= 0 {
		if n.Kind != yaml.MappingNode {
			r.fault(at(n), "", "%s: want names, each with what it stands for", what)
			return
		}
		for _, pair := range r.pairs(n, what) {
			one := reflect.New(of).Elem()
			r.value(pair[1], one, what+"."+pair[0].Value)
			one.Field(key).SetString(pair[0].Value)
			v.Set(reflect.Append(v, one))
		}
		return
	}
	items := n.Content
	if n.Kind == yaml.ScalarNode && n.Tag != "!!null" {
		items = []*yaml.Node{n}
	} else if n.Kind != yaml.SequenceNode {
		r.fault(at(n), "", "%s: want a list", what)
		return
	}
	for i, c := range items {
		one := reflect.New(of).Elem()
		r.value(c, one, fmt.Sprintf("%s[%d]", what, i))
		v.Set(reflect.Append(v, one))
	}
}

// pairs are a mapping's keys and values, each key once.
func (r *reader) pairs(n *yaml.Node, what string) (out [][2]*yaml.Node) {
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if k.Kind != yaml.ScalarNode || k.Tag == "!!merge" {
			r.fault(at(k), "", "%s: want a name", what)
			continue
		}
		if seen[k.Value] {
			r.fault(at(k), "", "%s: %s is there twice", what, k.Value)
			continue
		}
		seen[k.Value] = true
		out = append(out, [2]*yaml.Node{k, n.Content[i+1]})
	}
	return out
}

func (r *reader) mapping(n *yaml.Node, v reflect.Value, what string) {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" { // "clean_accuracy:" with nothing behind it
		n = &yaml.Node{Kind: yaml.MappingNode, Line: n.Line, Column: n.Column}
	}
	if n.Kind != yaml.MappingNode {
		r.fault(at(n), "", "%s: want keys with values", what)
		return
	}
	fields := map[string]int{}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Type == placeType {
			*v.Field(i).Addr().Interface().(*place) = at(n)
		}
		if name := f.Tag.Get("yaml"); name != "" && name != ",key" {
			fields[name] = i
		}
	}
	for _, pair := range r.pairs(n, what) {
		name := pair[0].Value
		i, known := fields[name]
		if !known {
			r.unknown(at(pair[0]), name, what, fields)
			continue
		}
		r.value(pair[1], v.Field(i), strings.TrimPrefix(what+"."+name, "."))
	}
}

// near is how like two names must be for one to be a slip of the other.
const near = 0.8

func (r *reader) unknown(where place, name, what string, fields map[string]int) {
	best, likeness := "", near
	var all []string
	for f := range fields {
		all = append(all, f)
		if l := smetrics.JaroWinkler(name, f, 0.7, 4); l > likeness || l == likeness && f < best {
			best, likeness = f, l
		}
	}
	slices.Sort(all)
	hint := "its keys are " + strings.Join(all, ", ")
	if best != "" {
		hint = fmt.Sprintf("did you mean %s?", best)
	}
	if what == "" {
		what = "the policy"
	}
	r.fault(where, hint, "%s has no key %s", what, name)
}

package gate

import (
	"bytes"
	"cmp"
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

	"github.com/shallow-waters/shoal/internal/trial"
)

// worded is a value that a text of a policy is read into.
type worded interface{ read(text string) error }

// reader reads a tree of YAML into the types of policy.go and notes what does not fit.
//
// A struct's fields are the keys of a mapping by their yaml tags; a field of type place gets where the mapping stands; a field with the tag ",key"
// makes a slice of such structs out of a mapping of names. What a type does not know is a fault, also a key that stands there twice. A fault ends
// nothing: the rest is read, and a key that is like one that is missing is read as that.
type reader struct {
	path   string
	lines  []string
	faults Faults
	// faulty are pointers to values with a fault in them, which was told; void are pointers to structs of which nothing could be read. What
	// looks at values later says nothing more of these.
	faulty, void map[any]bool
	// places are where values stand in the text, by pointers to what they were read into.
	places map[any]place
}

func newReader(path, text string) *reader {
	return &reader{path: path, lines: strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n"), faulty: map[any]bool{}, void: map[any]bool{},
		places: map[any]place{}}
}

func (r *reader) fault(at place, hint, format string, args ...any) *Fault {
	f := &Fault{Path: r.path, Line: max(1, at.line), Column: max(1, at.column), Why: fmt.Sprintf(format, args...), Hint: hint}
	if f.Line <= len(r.lines) {
		f.Text = r.lines[f.Line-1]
	}
	r.faults = append(r.faults, f)
	return f
}

// at is whether a fault was told at a place.
func (r *reader) at(p place) bool {
	return slices.ContainsFunc(r.faults, func(f *Fault) bool { return f.Line == p.line && f.Column == p.column })
}

// failed is a fault for an error about what the policy names, each once.
func (r *reader) failed(at place, what string, err error) {
	why := err.Error()
	if what != "" {
		why = what + ": " + why
	}
	if slices.ContainsFunc(r.faults, func(f *Fault) bool { return f.Why == why }) {
		return
	}
	hint := ""
	var u *trial.UnclearError
	if errors.As(err, &u) {
		hint = u.Hint
	}
	r.fault(at, hint, "%s", why).Err = err
}

// end are the faults in their order; nil where there is none.
func (r *reader) end() error {
	if len(r.faults) == 0 {
		return nil
	}
	slices.SortStableFunc(r.faults, func(a, b *Fault) int { return cmp.Or(a.Line-b.Line, a.Column-b.Column) })
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
	}
	if len(root.Content) == 0 {
		r.fault(place{1, 1}, "shoal init MODEL --data KIND:PATH writes one", "the policy is empty")
		return nil
	}
	return root.Content[0]
}

var placeType = reflect.TypeFor[place]()

// value reads a node into v, which keeps its place in memory.
func (r *reader) value(n *yaml.Node, v reflect.Value, what string) {
	r.places[v.Addr().Interface()] = at(n)
	before := len(r.faults)
	defer func() {
		if len(r.faults) > before {
			r.faulty[v.Addr().Interface()] = true
		}
	}()
	if v.Kind() == reflect.Pointer {
		p := reflect.New(v.Type().Elem())
		r.value(n, p.Elem(), what)
		v.Set(p)
		return
	}
	if n.Kind == yaml.AliasNode {
		r.fault(at(n), "write it out", "%s: anchors and aliases are not read", what)
		r.void[v.Addr().Interface()] = true
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
		pairs := r.pairs(n, what)
		v.Set(reflect.MakeSlice(v.Type(), len(pairs), len(pairs)))
		for i, pair := range pairs {
			r.value(pair[1], v.Index(i), what+"."+pair[0].Value)
			name := v.Index(i).Field(key)
			name.SetString(pair[0].Value)
			r.places[name.Addr().Interface()] = at(pair[0])
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
	v.Set(reflect.MakeSlice(v.Type(), len(items), len(items)))
	for i, c := range items {
		r.value(c, v.Index(i), fmt.Sprintf("%s[%d]", what, i))
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
		r.void[v.Addr().Interface()] = true
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
	pairs := r.pairs(n, what)
	given := map[string]bool{}
	for _, pair := range pairs {
		given[pair[0].Value] = true
	}
	for _, pair := range pairs {
		name := pair[0].Value
		if _, known := fields[name]; !known {
			meant := r.unknown(at(pair[0]), name, what, fields)
			if meant == "" || given[meant] {
				continue
			}
			given[meant], name = true, meant
		}
		r.value(pair[1], v.Field(fields[name]), strings.TrimPrefix(what+"."+name, "."))
	}
}

// near is how like two names must be for one to be a slip of the other.
const near = 0.8

// unknown tells of a key that is none of a mapping's, and gives the one that it is a slip of; "" where it is like none.
func (r *reader) unknown(where place, name, what string, fields map[string]int) (meant string) {
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
	return best
}

package prune

import (
	"maps"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// adapter is what a node's Adapt face sees: the removal, and the node in the smaller graph, which it changes. Changes are kept, to be made
// in the graph of the file too.
type adapter struct {
	c       *Coupling
	gone    removal
	was     *onnxio.Node
	now     *onnxio.Node
	at      int // place in the graph
	changes []change
}

var _ op.Adapter = (*adapter)(nil)

// change is one input or attribute of a node.
type change struct {
	at    int
	input int // -1 for an attribute
	ints  []int
	name  string
	attr  any // nil takes the attribute away
}

func (a *adapter) Kept(x op.Axis) []int {
	out := make([]int, 0, x.Size())
	gone := a.gone[x]
	for i := range x.Size() {
		if len(gone) > 0 && gone[0] == i {
			gone = gone[1:]
			continue
		}
		out = append(out, i)
	}
	return out
}

func (a *adapter) Ints(i int) []int { return intsOf(a.now.ConstInput(i)) }

func intsOf(t *onnxio.Tensor) []int {
	if t == nil || t.DType == onnxio.String {
		return nil
	}
	d, err := t.Float64s()
	if err != nil {
		return nil
	}
	out := make([]int, len(d))
	for i, x := range d {
		out[i] = int(x)
	}
	return out
}

// Free compares the input at all choices of sizes. Where some open size could not be varied, all that is computed may depend on it.
func (a *adapter) Free(i int) []bool {
	was := intsOf(a.was.ConstInput(i))
	out := make([]bool, len(was))
	if v := a.was.Input(i); len(a.c.fixed) > 0 && v != nil && v.Producer != nil && v.Producer.Op != "Constant" {
		for k := range out {
			out[k] = true
		}
	}
	for _, other := range a.c.others {
		for k, x := range intsOf(other.graph.Nodes[a.at].ConstInput(i)) {
			if k < len(out) {
				out[k] = out[k] || x != was[k]
			}
		}
	}
	return out
}

func (a *adapter) SetInts(i int, v []int) {
	ch := change{at: a.at, input: i, ints: slices.Clone(v)}
	ch.apply(a.now, names{})
	a.changes = append(a.changes, ch)
}

func (a *adapter) SetAttr(name string, v any) {
	ch := change{at: a.at, input: -1, name: name, attr: v}
	ch.apply(a.now, nil)
	a.changes = append(a.changes, ch)
}

// apply makes the change in a node. names are those in use.
func (ch change) apply(n *onnxio.Node, names names) {
	if ch.input < 0 {
		n.Attrs = maps.Clone(n.Attrs)
		if n.Attrs == nil {
			n.Attrs = onnxio.Attrs{}
		}
		if ch.attr == nil {
			delete(n.Attrs, ch.name)
		} else {
			n.Attrs[ch.name] = ch.attr
		}
		return
	}
	inputs := slices.Clone(n.Inputs)
	for len(inputs) <= ch.input { // an input that was left out so far
		inputs = append(inputs, nil)
	}
	old, base := inputs[ch.input], n.Name
	if old != nil {
		base = old.Name
	} else if base == "" {
		base = n.Outputs[0].Name // a face needs the first output
	}
	name := names.fresh(base + "_pruned")
	var t *onnxio.Tensor
	if old != nil && old.DType == onnxio.Int32 {
		d := make([]int32, len(ch.ints))
		for i, x := range ch.ints {
			d[i] = int32(x)
		}
		t = &onnxio.Tensor{DType: onnxio.Int32, Shape: []int{len(d)}, Data: d}
	} else {
		d := make([]int64, len(ch.ints))
		for i, x := range ch.ints {
			d[i] = int64(x)
		}
		t = onnxio.FromInt64(d, len(d))
	}
	v := &onnxio.Value{Name: name, DType: t.DType, HasShape: true, Dims: []onnxio.Dim{{Size: t.Len()}}, Shape: slices.Clone(t.Shape), Const: t}
	inputs[ch.input] = v
	n.Inputs = inputs
}

// names are those in use in a graph.
type names map[string]bool

func namesOf(g *onnxio.Graph) names {
	n := names{}
	eachValue(g, func(v *onnxio.Value) { n[v.Name] = true })
	for _, m := range g.Nodes {
		n[m.Name] = true
	}
	return n
}

// fresh is a name like the given one that nothing has yet.
func (n names) fresh(name string) string {
	for n[name] {
		name += "_"
	}
	n[name] = true
	return name
}

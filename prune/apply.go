package prune

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/operators"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/infer"
)

// misfit tells which nodes do not take the sizes that a plan leaves.
type misfit struct{ pins []pin }

func (m *misfit) Error() string { return m.pins[0].why }

func misfitAt(at int, why string) *misfit { return &misfit{[]pin{{at, why}}} }

// apply makes the smaller graph and the one to check it by.
func (c *Coupling) apply(ctx context.Context, p *Plan) (*Result, error) {
	gone, err := c.removal(p)
	if err != nil {
		return nil, err
	}
	r := &Result{Plan: p, Coupling: c}
	if !p.Absorb {
		r.Zeroed = c.zeroed(gone)
		if r.Graph, err = c.shrink(gone); err != nil {
			return nil, err
		}
		c.tidy(r.Graph)
		return r, nil
	}
	values, left, held, err := c.constantsOf(ctx, gone)
	if err != nil {
		return nil, err
	}
	if r.Zeroed, err = c.unfiltered(left); err != nil {
		return nil, err
	}
	r.Plan = c.without(p, left, held)
	if r.Graph, err = c.shrink(left); err != nil {
		return nil, err
	}
	err = c.absorb(r.Graph, left, values)
	c.tidy(r.Graph)
	return r, err
}

// tidy takes out nodes that nobody reads any more: what computed a size that is now a constant. What nobody read before stays as it was.
func (c *Coupling) tidy(out *onnxio.Graph) {
	names := func(g *onnxio.Graph) map[string]bool {
		read := map[string]bool{}
		for _, n := range g.Nodes {
			maps.Copy(read, infer.Reads(n))
		}
		for _, v := range g.Outputs {
			read[v.Name] = true
		}
		return read
	}
	before := names(c.file)
	for {
		now, count := names(out), len(out.Nodes)
		out.Nodes = slices.DeleteFunc(out.Nodes, func(n *onnxio.Node) bool {
			lost := false
			for _, v := range n.Outputs {
				if v != nil && now[v.Name] {
					return false
				}
				lost = lost || v != nil && before[v.Name]
			}
			return lost
		})
		if len(out.Nodes) == count {
			return
		}
	}
}

// shrink slices the constants of the file's graph and lets the nodes adapt themselves.
func (c *Coupling) shrink(gone removal) (*onnxio.Graph, error) {
	out := c.file.Clone()
	if err := c.sliceSources(out, gone); err != nil {
		return nil, err
	}
	if len(gone) == 0 {
		return out, nil
	}
	var changes []change
	at := -1
	small, err := c.first.again(out, func(n *onnxio.Node) error {
		at++
		was := c.graph.Nodes[at]
		if c.first.inside[was] != nil { // what is in it stays as it is
			return nil
		}
		def, err := operators.Lookup(was)
		if err != nil || def.Adapt == nil || !gone.touches(was) {
			return err
		}
		a := &adapter{c: c, gone: gone, was: was, now: n, at: at}
		if err := def.Adapt(was, a); err != nil {
			return err
		}
		changes = append(changes, a.changes...)
		return nil
	})
	if err != nil {
		return nil, misfitAt(max(at, 0), err.Error())
	}
	names := namesOf(out)
	for _, ch := range changes {
		ch.apply(out.Nodes[ch.at], names)
	}
	if err := compare(c.graph, small, gone); err != nil {
		return nil, err
	}
	for _, other := range c.others {
		at = -1
		second, err := other.again(out, func(*onnxio.Node) error { at++; return nil })
		if err != nil {
			return nil, misfitAt(max(at, 0), err.Error())
		}
		if err := compare(other.graph, second, gone.in(c.graph, other.graph)); err != nil {
			return nil, err
		}
	}
	c.redeclare(out, gone)
	return out, nil
}

// touches tells whether slots of a node's values go.
func (r removal) touches(n *onnxio.Node) bool {
	for _, v := range slices.Concat(n.Inputs, n.Outputs) {
		if v == nil {
			continue
		}
		for i := range v.Shape {
			if len(r[op.Axis{Value: v, Axis: i}]) > 0 {
				return true
			}
		}
	}
	return false
}

// in translates a removal to another copy of the graph.
func (r removal) in(from, to *onnxio.Graph) removal {
	at := pairs(from, to)
	out := removal{}
	for a, gone := range r {
		if v := at[a.Value]; v != nil {
			out[op.Axis{Value: v, Axis: a.Axis}] = gone
		}
	}
	return out
}

// eachValue calls f for every value of a graph, some more than once.
func eachValue(g *onnxio.Graph, f func(*onnxio.Value)) {
	for _, v := range g.Inputs {
		f(v)
	}
	for _, n := range g.Nodes {
		for _, v := range slices.Concat(n.Inputs, n.Outputs) {
			if v != nil {
				f(v)
			}
		}
	}
	for _, v := range g.Outputs {
		f(v)
	}
}

// sliceSources cuts initializers, and the tensors of Constant nodes.
func (c *Coupling) sliceSources(out *onnxio.Graph, gone removal) error {
	return c.editSources(out, func(v *onnxio.Value) (*onnxio.Tensor, error) { return sliced(v.Const, v, gone) })
}

// editSources replaces constants of the file's graph, where f gives another tensor than the value has.
func (c *Coupling) editSources(out *onnxio.Graph, f func(v *onnxio.Value) (*onnxio.Tensor, error)) error {
	done := map[*onnxio.Value]bool{}
	for i, n := range c.graph.Nodes {
		for k, v := range n.Inputs {
			if v == nil || v.Const == nil || v.Producer != nil || done[v] {
				continue
			}
			done[v] = true
			t, err := f(v)
			if err != nil {
				return fmt.Errorf("constant %q: %w", v.Name, err)
			}
			if t != v.Const {
				w := out.Nodes[i].Inputs[k]
				w.Const, w.Shape, w.DType = t, slices.Clone(t.Shape), t.DType
			}
		}
		if n.Op != "Constant" || n.Domain != "" || len(n.Outputs) == 0 || n.Outputs[0] == nil || n.Outputs[0].Const == nil {
			continue
		}
		v := n.Outputs[0]
		t, err := f(v)
		if err != nil {
			return fmt.Errorf("constant %q: %w", v.Name, err)
		}
		if t == v.Const {
			continue
		}
		attrs := maps.Clone(n.Attrs)
		for _, name := range []string{"value_floats", "value_ints"} {
			delete(attrs, name)
		}
		attrs["value"] = t
		out.Nodes[i].Attrs = attrs
	}
	return nil
}

// sliced is a constant without the slots of a value that go: itself where none do.
func sliced(t *onnxio.Tensor, v *onnxio.Value, gone removal) (*onnxio.Tensor, error) {
	for axis := range v.Shape {
		a := op.Axis{Value: v, Axis: axis}
		if len(gone[a]) == 0 {
			continue
		}
		var err error
		if t, err = without(t, axis, gone[a]); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// without leaves out indices, in order, of one axis.
func without(t *onnxio.Tensor, axis int, gone []int) (*onnxio.Tensor, error) {
	size, inner := t.Shape[axis], onnxio.NumElements(t.Shape[axis+1:])
	out := &onnxio.Tensor{DType: t.DType, Shape: slices.Clone(t.Shape)}
	out.Shape[axis] = size - len(gone)
	runs := keptRuns(size, gone)
	switch d := t.Data.(type) {
	case []float32:
		out.Data = take(d, size, inner, runs)
	case []float64:
		out.Data = take(d, size, inner, runs)
	case []int64:
		out.Data = take(d, size, inner, runs)
	case []int32:
		out.Data = take(d, size, inner, runs)
	case []int16:
		out.Data = take(d, size, inner, runs)
	case []int8:
		out.Data = take(d, size, inner, runs)
	case []uint64:
		out.Data = take(d, size, inner, runs)
	case []uint32:
		out.Data = take(d, size, inner, runs)
	case []uint16:
		out.Data = take(d, size, inner, runs)
	case []uint8:
		out.Data = take(d, size, inner, runs)
	case []bool:
		out.Data = take(d, size, inner, runs)
	default:
		return nil, fmt.Errorf("a tensor of type %v cannot be cut", t.DType)
	}
	return out, nil
}

// keptRuns lists the runs [from, to) of indices that stay.
func keptRuns(size int, gone []int) [][2]int {
	var runs [][2]int
	from := 0
	for _, g := range append(slices.Clip(gone), size) {
		if g > from {
			runs = append(runs, [2]int{from, g})
		}
		from = g + 1
	}
	return runs
}

func take[T any](d []T, size, inner int, runs [][2]int) []T {
	kept := 0
	for _, r := range runs {
		kept += r[1] - r[0]
	}
	if size == 0 || inner == 0 {
		return []T{}
	}
	outer := len(d) / (size * inner)
	out := make([]T, 0, outer*kept*inner)
	for o := range outer {
		for _, r := range runs {
			out = append(out, d[(o*size+r[0])*inner:(o*size+r[1])*inner]...)
		}
	}
	return out
}

// compare checks every shape and every constant that was computed from others (those of floats: integers are sizes, places and counts,
// which may change) against what removing slots should have made of them.
func compare(was, now *onnxio.Graph, gone removal) error {
	var all []pin
	for i, n := range was.Nodes {
		for k, v := range n.Outputs {
			if v == nil {
				continue
			}
			w := now.Nodes[i].Outputs[k]
			for axis, d := range v.Shape {
				if want := d - len(gone[op.Axis{Value: v, Axis: axis}]); len(w.Shape) != len(v.Shape) || w.Shape[axis] != want {
					all = append(all, pin{i, fmt.Sprintf("its output would be of shape %v where axis %d should have %d", w.Shape, axis, want)})
				}
			}
			if v.Const == nil || v.DType != onnxio.Float && v.DType != onnxio.Double || n.Op == "Constant" {
				continue
			}
			if want, err := sliced(v.Const, v, gone); err != nil || w.Const == nil || !sameData(want, w.Const) {
				all = append(all, pin{i, "its constant output depends on the number of channels"})
			}
		}
	}
	if len(all) > 0 {
		return &misfit{all}
	}
	return nil
}

// sameData compares floats bit by bit, but for NaN.
func sameData(a, b *onnxio.Tensor) bool {
	same := func(x, y float64) bool { return x == y || x != x && y != y }
	if p, q := a.F32(), b.F32(); p != nil && q != nil {
		return slices.EqualFunc(p, q, func(x, y float32) bool { return same(float64(x), float64(y)) })
	}
	p, q := a.F64(), b.F64()
	return a.DType == b.DType && slices.EqualFunc(p, q, same)
}

// redeclare brings the declared sizes of computed values up to date.
func (c *Coupling) redeclare(out *onnxio.Graph, gone removal) {
	for i, n := range c.graph.Nodes {
		for k, v := range slices.Concat(n.Inputs, n.Outputs) {
			if v == nil {
				continue
			}
			m := out.Nodes[i]
			w := slices.Concat(m.Inputs[:len(n.Inputs)], m.Outputs)[k]
			for axis, d := range v.Shape {
				cut := len(gone[op.Axis{Value: v, Axis: axis}])
				if cut > 0 && axis < len(w.Dims) && w.Dims[axis].Known() {
					w.Dims[axis].Size = d - cut
				}
			}
		}
		c.redeclareInside(n, out.Nodes[i], gone)
	}
}

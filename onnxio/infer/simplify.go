package infer

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"github.com/shallow-waters/shoal/onnxio"
)

// Simplify returns a graph that computes the same from the same inputs with fewer nodes, for writing back: constants are folded, Identity
// and Dropout are gone, shape arithmetic is gone where it does not depend on the batch or ends in a Reshape, batch normalisation is in the
// convolution before it, and MatMul with Add is one Gemm. Names, declarations and constants that stay are the file's own.
//
// A batch that the file leaves free stays free: what depends on it is found by folding with two batch sizes and comparing.
func Simplify(ctx context.Context, g *onnxio.Graph, o Options) (*onnxio.Graph, error) {
	if err := g.Check(); err != nil {
		return nil, err
	}
	file := Live(g)
	g = Unmapped(file)
	if w := Widened(g); len(w) > 0 {
		return nil, &onnxio.UnsupportedError{Why: fmt.Sprintf("value %q is in half precision; shoal convert --float32 comes before simplify", w[0].Name)}
	}
	first, second := o, o
	if FixedBatch(g) == 0 && o.Batch == 0 {
		first.Batch, second.Batch = 2, 3
	}
	a, err := evaluate(ctx, g, first)
	if err != nil {
		return nil, err
	}
	b, err := evaluate(ctx, g, second)
	if err != nil {
		return nil, err
	}
	one, other := valuesByName(a), valuesByName(b)
	out := g.Clone()
	taken := func(n *onnxio.Node) *onnxio.Tensor { // a branch is taken for good only where every batch takes it
		if c := ownCondition(n); c != nil {
			return c
		}
		x, y := one[n.Inputs[0].Name], other[n.Inputs[0].Name]
		if x == nil || y == nil || x.Const == nil || !reflect.DeepEqual(x.Const, y.Const) {
			return nil
		}
		return x.Const
	}
	w := walk{cond: taken, keep: true, visit: func(*onnxio.Node) error { return nil }}
	if err := w.run(ctx, out); err != nil {
		return nil, err
	}
	for _, n := range out.Nodes {
		for _, v := range n.Outputs {
			if v == nil {
				continue
			}
			x, y := one[v.Name], other[v.Name]
			if x == nil || y == nil {
				return nil, fmt.Errorf("value %q was not inferred", v.Name)
			}
			v.DType, v.Shape = x.DType, x.Shape
			if x.Const != nil && y.Const != nil && reflect.DeepEqual(x.Const, y.Const) {
				v.Const = x.Const
			}
		}
	}
	for _, v := range out.Inputs {
		v.Shape = one[v.Name].Shape
	}
	for _, n := range out.Nodes {
		if t := reshapeTarget(n, one, other); t != nil {
			n.Inputs[1] = &onnxio.Value{Name: n.Outputs[0].Name + "_shape", DType: onnxio.Int64, Const: t, Shape: t.Shape}
		}
	}
	read := heldForGraphs(out)
	for _, p := range passes {
		p.run(out)
	}
	Fuse(out)
	for _, p := range passes {
		p.run(out)
	}
	out.Outputs = out.Outputs[:len(out.Outputs)-read]
	for _, n := range out.Nodes {
		for _, v := range n.Outputs {
			if v != nil {
				v.Shape = nil
			}
		}
	}
	return Remapped(file, out), nil
}

// heldForGraphs makes the values that graphs of nodes read by name outputs for a time, so that they keep name and node, and gives their number.
func heldForGraphs(g *onnxio.Graph) int {
	read := map[string]bool{}
	for _, n := range g.Nodes {
		if branches(n) {
			readBy(&onnxio.Node{Attrs: n.Attrs}, read)
		}
	}
	count := 0
	for _, n := range g.Nodes {
		for _, v := range n.Outputs {
			if v != nil && read[v.Name] && !slices.Contains(g.Outputs, v) {
				v.Const = nil
				g.Outputs = append(g.Outputs, v)
				count++
			}
		}
	}
	return count
}

// evaluate is Prepare with every node still there.
func evaluate(ctx context.Context, g *onnxio.Graph, o Options) (*onnxio.Graph, error) {
	if err := g.Check(); err != nil {
		return nil, err
	}
	g = g.Clone()
	return g, annotate(ctx, g, o, nil, nil)
}

func valuesByName(g *onnxio.Graph) map[string]*onnxio.Value {
	out := map[string]*onnxio.Value{}
	add := func(vs []*onnxio.Value) {
		for _, v := range vs {
			if v != nil {
				out[v.Name] = v
			}
		}
	}
	add(g.Inputs)
	for _, n := range g.Nodes {
		add(n.Inputs)
		add(n.Outputs)
	}
	add(g.Outputs)
	return out
}

// reshapeTarget gives a Reshape whose target was computed from the batch a constant one: -1 where the batch stands. It is nil where the
// target is constant already, or no constant says it.
func reshapeTarget(n *onnxio.Node, one, other map[string]*onnxio.Value) *onnxio.Tensor {
	if n.Op != "Reshape" || n.Domain != "" || len(n.Inputs) < 2 || n.Inputs[1] == nil || n.Inputs[1].Const != nil || n.Attrs.Int("allowzero", 0) != 0 {
		return nil
	}
	x, y := one[n.Inputs[1].Name], other[n.Inputs[1].Name]
	if x == nil || y == nil || x.Const == nil || y.Const == nil {
		return nil
	}
	a, b := x.Const.I64(), y.Const.I64()
	if len(a) != len(b) {
		return nil
	}
	target, differ := slices.Clone(a), 0
	for i := range a {
		if a[i] != b[i] {
			target[i] = -1
			differ++
		}
	}
	if differ != 1 || slices.Contains(a, -1) || slices.Contains(a, 0) {
		return nil
	}
	return onnxio.FromInt64(target, len(target))
}

package student

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/infer"
)

// FromGraph reads a network of the layers that a student can have, with its weights: a pruned model that is to be trained further, say. The
// nodes must form a chain from one input [N,C,H,W], or [N,C] of rows of numbers. A softmax at the end is left out, Dropout is
// not kept, and what a student cannot have is an error that names the node.
func FromGraph(g *onnxio.Graph) (*Architecture, error) {
	return FromGraphContext(context.Background(), g)
}

// FromGraphContext is FromGraph until the context ends, and within its budget of memory.
func FromGraphContext(ctx context.Context, g *onnxio.Graph) (*Architecture, error) {
	g, _, err := stripSoftmax(ctx, g)
	if err != nil {
		return nil, err
	}
	if g, err = infer.Prepare(ctx, g, infer.Options{}); err != nil {
		return nil, err
	}
	if len(g.Inputs) != 1 {
		return nil, fmt.Errorf("a student has one input [N,C,H,W] or [N,C]; this graph has %d", len(g.Inputs))
	}
	if n := len(g.Inputs[0].Shape); n != 4 && n != 2 {
		return nil, fmt.Errorf("a student has one input [N,C,H,W] or [N,C]; this graph's is of shape %v", g.Inputs[0].Shape)
	}
	x := g.Inputs[0]
	input := [3]int{x.Shape[1], 1, 1}
	copy(input[:], x.Shape[1:])
	r := &importer{arch: &Architecture{Name: g.Name, Input: input, start: map[string][]float32{}}, counts: map[Kind]int{}}
	for _, n := range g.Nodes {
		data := n.Input(0)
		if n.Op == "Add" && data != x {
			n.Inputs[0], n.Inputs[1] = n.Inputs[1], n.Inputs[0] // an Add of a bias from the left; the graph is our copy
			data = n.Input(0)
		}
		if data != x {
			return nil, fmt.Errorf("node %q (%s): the graph is no chain of layers", n.Name, n.Op)
		}
		if err := r.node(n); err != nil {
			return nil, fmt.Errorf("node %q (%s): %w", n.Name, n.Op, err)
		}
		x = n.Outputs[0]
	}
	if x != g.Outputs[0] {
		return nil, fmt.Errorf("the graph's output %q is not that of its last node", g.Outputs[0].Name)
	}
	return r.arch, r.arch.Validate()
}

// importer reads nodes as layers, each by the face of the kind that knows its operator.
type importer struct {
	arch   *Architecture
	counts map[Kind]int
	last   string // operator of the node before: after a MatMul a bias may follow
}

// add appends a layer and its weights.
func (r *importer) add(kind Kind, l Layer, weights map[string][]float32) {
	r.counts[kind]++
	for name, w := range weights {
		r.arch.start[fmt.Sprintf("%s%d.%s", kind, r.counts[kind], name)] = w
	}
	r.arch.Layers = append(r.arch.Layers, l)
}

func (r *importer) node(n *onnxio.Node) error {
	var known []string
	for _, k := range kinds {
		if read := k.imports[n.Op]; read != nil {
			if err := read(r, n); err != nil {
				return err
			}
			r.last = n.Op
			return nil
		}
		known = slices.AppendSeq(known, maps.Keys(k.imports))
	}
	slices.Sort(known)
	return fmt.Errorf("students have no such layer; they have %s", strings.Join(known, ", "))
}

// constant is an input's numbers, of a length where that is not 0; zeros where the input is absent.
func constant(n *onnxio.Node, i, length int) ([]float32, error) {
	t := n.ConstInput(i)
	if t == nil && n.Input(i) == nil {
		return make([]float32, length), nil
	}
	if t == nil || t.F32() == nil || length > 0 && t.Len() != length {
		return nil, fmt.Errorf("input %d is no constant of float32 and the right size", i)
	}
	return append([]float32(nil), t.F32()...), nil
}

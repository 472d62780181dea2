package infer

import (
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/onnxio"
)

// maxInlined limits the nodes that branches may bring into a graph.
const maxInlined = 1 << 20

// branchOf gives the branch that an If with a constant condition takes; nil where the condition is not constant.
func branchOf(n *onnxio.Node, cond *onnxio.Tensor) (*onnxio.Graph, error) {
	b, ok := cond.Data.([]bool)
	if !ok || len(b) != 1 {
		return nil, &onnxio.NodeError{Node: n.Name, Op: n.Op, Err: fmt.Errorf("a condition of type %v and shape %v", cond.DType, cond.Shape)}
	}
	if b[0] {
		return branchNamed(n, "then_branch")
	}
	return branchNamed(n, "else_branch")
}

func branchNamed(n *onnxio.Node, name string) (*onnxio.Graph, error) {
	g, _ := n.Attrs[name].(*onnxio.Graph)
	if g == nil || len(g.Outputs) != len(n.Outputs) || len(g.Inputs) != 0 {
		return nil, &onnxio.NodeError{Node: n.Name, Op: n.Op, Err: fmt.Errorf("%s is missing, has inputs, or has not %d outputs", name, len(n.Outputs))}
	}
	return g, nil
}

// chosen gives the nodes that stand for an If whose condition depends on values: those of both branches, and a Where for each output. Both are
// computed, bounds are the union of both, and gradients are those of the branch taken. The branches must give the same shapes, which later tells.
func (w *walk) chosen(n *onnxio.Node) ([]*onnxio.Node, error) {
	if n.Opset < 9 {
		return nil, &onnxio.UnsupportedError{Node: n.Name, Op: n.Op, Opset: n.Opset, Why: "its condition depends on the input's values, and opset 9 brought what chooses between both branches"}
	}
	cond := w.names.made(n.Name + "/condition")
	nodes := []*onnxio.Node{{Name: cond.Name, Op: "Reshape", Opset: n.Opset,
		Inputs: []*onnxio.Value{n.Inputs[0], w.names.ints(n.Name+"/scalar", []int{0})}, Outputs: []*onnxio.Value{cond}}}
	cond.Producer = nodes[0]
	var sides [2][]*onnxio.Value
	for k, name := range []string{"then_branch", "else_branch"} {
		g, err := branchNamed(n, name)
		if err != nil {
			return nil, err
		}
		written, out, err := w.inline(n, g, nil, nil)
		if err != nil {
			return nil, err
		}
		nodes, sides[k] = append(nodes, written...), out
	}
	for k, v := range n.Outputs {
		if v == nil {
			continue
		}
		c := &onnxio.Node{Name: n.Name + "/" + v.Name, Op: "Where", Opset: n.Opset, Inputs: []*onnxio.Value{cond, sides[0][k], sides[1][k]},
			Outputs: []*onnxio.Value{v}}
		v.Producer = c
		w.checks[c] = func() error {
			if a, b := c.Inputs[1].Shape, c.Inputs[2].Shape; !slices.Equal(a, b) {
				return &onnxio.UnsupportedError{Node: n.Name, Op: n.Op, Opset: n.Opset, Why: fmt.Sprintf("its condition depends on the input's values, and its branches give shapes %v and %v", a, b)}
			}
			return nil
		}
		nodes = append(nodes, c)
	}
	return nodes, nil
}

// scope are the names of a graph that was written out: a graph in it refers to its values by name, and what was written out may have others.
type scope struct {
	values map[string]*onnxio.Value
	around *scope
}

func (s *scope) find(name string) *onnxio.Value {
	for ; s != nil; s = s.around {
		if v := s.values[name]; v != nil {
			return v
		}
	}
	return nil
}

// inline gives the nodes that stand for a graph of a node, and what its outputs are. The graph's inputs are given; outputs that are made in it are
// written to `to`, where that is not nil. It refers to values of the graph around by name, since these were copied; what it brings gets names that
// the graph has not.
func (w *walk) inline(n *onnxio.Node, body *onnxio.Graph, given, to []*onnxio.Value) ([]*onnxio.Node, []*onnxio.Value, error) {
	own := map[*onnxio.Value]*onnxio.Value{}
	here := &scope{map[string]*onnxio.Value{}, w.scopes[n]}
	for i, v := range body.Inputs {
		own[v], here.values[v.Name] = given[i], given[i]
		w.standsFor(n, v, given[i])
	}
	for k, v := range body.Outputs {
		if to != nil && v.Producer != nil && own[v] == nil && to[k] != nil && contains(body.Nodes, v.Producer) {
			own[v] = to[k]
		}
	}
	find := func(v *onnxio.Value) (*onnxio.Value, error) {
		switch {
		case v == nil:
			return nil, nil
		case own[v] != nil:
			return own[v], nil
		case v.Const != nil && v.Producer == nil:
			own[v] = w.names.constant(v)
			return own[v], nil
		}
		if x := here.find(v.Name); x != nil {
			return x, nil
		}
		if x := w.outer[v.Name]; x != nil {
			return x, nil
		}
		return nil, &onnxio.NodeError{Node: n.Name, Op: n.Op, Err: fmt.Errorf("its graph reads %q, which is not there", v.Name)}
	}
	var out []*onnxio.Node
	for _, b := range body.Nodes {
		c := *b
		c.Inputs, c.Outputs = make([]*onnxio.Value, len(b.Inputs)), make([]*onnxio.Value, len(b.Outputs))
		for i, v := range b.Inputs {
			x, err := find(v)
			if err != nil {
				return nil, nil, err
			}
			c.Inputs[i] = x
		}
		for i, v := range b.Outputs {
			if v == nil {
				continue
			}
			if own[v] == nil {
				x := *v
				x.Name = w.names.fresh(v.Name)
				own[v] = &x
			}
			own[v].Producer = &c
			here.values[v.Name] = own[v]
			w.standsFor(n, v, own[v])
			c.Outputs[i] = own[v]
		}
		if branches(&c) {
			w.scopes[&c] = here
		}
		out = append(out, &c)
	}
	outputs := make([]*onnxio.Value, len(body.Outputs))
	for k, v := range body.Outputs {
		from, err := find(v)
		if err != nil {
			return nil, nil, err
		}
		w.standsFor(n, v, from)
		if outputs[k] = from; to == nil || to[k] == nil || from == to[k] {
			continue
		}
		out = append(out, copyOf(n, from, to[k]))
	}
	return out, outputs, nil
}

// copyOf is a node that gives one value the numbers of another.
func copyOf(n *onnxio.Node, from, to *onnxio.Value) *onnxio.Node {
	id := &onnxio.Node{Name: n.Name + "/" + to.Name, Op: "Identity", Opset: n.Opset, Inputs: []*onnxio.Value{from}, Outputs: []*onnxio.Value{to}}
	to.Producer = id
	return id
}

// inUse are the values of a graph by their names.
type inUse struct {
	values map[string]*onnxio.Value
	next   map[string]int // where the search for a name like it goes on
}

func namesOf(g *onnxio.Graph) inUse {
	out := inUse{map[string]*onnxio.Value{}, map[string]int{}}
	note := func(vs []*onnxio.Value) {
		for _, v := range vs {
			if v != nil {
				out.values[v.Name] = v
			}
		}
	}
	note(g.Inputs)
	for _, n := range g.Nodes {
		note(n.Inputs)
		note(n.Outputs)
	}
	note(g.Outputs)
	return out
}

// fresh is a name like the given one that nothing has yet: branches of two nodes may name their values alike.
func (s inUse) fresh(name string) string {
	out := name
	for i := s.next[name]; s.values[out] != nil; i++ {
		out = fmt.Sprintf("%s_%d", name, i+2)
		s.next[name] = i + 1
	}
	s.values[out] = &onnxio.Value{}
	return out
}

// made is a new value.
func (s inUse) made(name string) *onnxio.Value {
	v := &onnxio.Value{Name: s.fresh(name)}
	s.values[v.Name] = v
	return v
}

// ints is a new constant of integers: of a shape, or without one a list.
func (s inUse) ints(name string, shape []int, v ...int64) *onnxio.Value {
	t := onnxio.FromInt64(v, shape...)
	x := s.made(name)
	x.DType, x.Const, x.Shape = t.DType, t, t.Shape
	return x
}

// constant is what stands for a constant that a branch reads: the graph's own where it has it, so that it is not written twice.
func (s inUse) constant(v *onnxio.Value) *onnxio.Value {
	have := s.values[v.Name]
	if have != nil && have.Const == v.Const {
		return have
	}
	w := *v // which may be changed, and v is the file's
	if have != nil {
		w.Name = s.fresh(v.Name)
	}
	s.values[w.Name] = &w
	return &w
}

func contains(nodes []*onnxio.Node, n *onnxio.Node) bool {
	for _, x := range nodes {
		if x == n {
			return true
		}
	}
	return false
}

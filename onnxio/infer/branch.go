package infer

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/op"
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
	name := "else_branch"
	if b[0] {
		name = "then_branch"
	}
	g, _ := n.Attrs[name].(*onnxio.Graph)
	if g == nil || len(g.Outputs) != len(n.Outputs) || len(g.Inputs) != 0 {
		return nil, &onnxio.NodeError{Node: n.Name, Op: n.Op, Err: fmt.Errorf("%s is missing, has inputs, or has not %d outputs", name, len(n.Outputs))}
	}
	return g, nil
}

// inline gives the nodes that stand for an If: its branch's, writing to its outputs. outer finds the values of the graph around by name,
// since the branch refers to those of the graph before it was copied; names are those that the graph has, and what the branch brings gets others.
func inline(n *onnxio.Node, branch *onnxio.Graph, outer map[string]*onnxio.Value, names inUse) ([]*onnxio.Node, error) {
	own := map[*onnxio.Value]*onnxio.Value{}
	for k, v := range branch.Outputs {
		if v.Producer != nil && own[v] == nil && n.Outputs[k] != nil && contains(branch.Nodes, v.Producer) {
			own[v] = n.Outputs[k]
		}
	}
	find := func(v *onnxio.Value) (*onnxio.Value, error) {
		switch {
		case v == nil:
			return nil, nil
		case own[v] != nil:
			return own[v], nil
		case v.Const != nil && v.Producer == nil:
			own[v] = names.constant(v)
			return own[v], nil
		case outer[v.Name] != nil:
			return outer[v.Name], nil
		}
		return nil, &onnxio.NodeError{Node: n.Name, Op: n.Op, Err: fmt.Errorf("its branch reads %q, which is not there", v.Name)}
	}
	var out []*onnxio.Node
	for _, b := range branch.Nodes {
		c := *b
		c.Inputs, c.Outputs = make([]*onnxio.Value, len(b.Inputs)), make([]*onnxio.Value, len(b.Outputs))
		for i, v := range b.Inputs {
			w, err := find(v)
			if err != nil {
				return nil, err
			}
			c.Inputs[i] = w
		}
		for i, v := range b.Outputs {
			if v == nil {
				continue
			}
			if own[v] == nil {
				w := *v
				w.Name = names.fresh(v.Name)
				own[v] = &w
			}
			own[v].Producer = &c
			c.Outputs[i] = own[v]
		}
		out = append(out, &c)
	}
	for k, v := range branch.Outputs {
		to := n.Outputs[k]
		if to == nil || own[v] == to {
			continue
		}
		from, err := find(v)
		if err != nil {
			return nil, err
		}
		id := &onnxio.Node{Name: n.Name + "/" + to.Name, Op: "Identity", Opset: n.Opset, Inputs: []*onnxio.Value{from}, Outputs: []*onnxio.Value{to}}
		to.Producer = id
		out = append(out, id)
	}
	return out, nil
}

// inUse are the values of a graph by their names.
type inUse map[string]*onnxio.Value

func namesOf(g *onnxio.Graph) inUse {
	out := inUse{}
	note := func(vs []*onnxio.Value) {
		for _, v := range vs {
			if v != nil {
				out[v.Name] = v
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
	for i := 2; s[out] != nil; i++ {
		out = fmt.Sprintf("%s_%d", name, i)
	}
	s[out] = &onnxio.Value{}
	return out
}

// constant is what stands for a constant that a branch reads: the graph's own where it has it, so that it is not written twice.
func (s inUse) constant(v *onnxio.Value) *onnxio.Value {
	have := s[v.Name]
	if have == nil {
		s[v.Name] = v
		return v
	}
	if have.Const == v.Const {
		return have
	}
	w := *v
	w.Name = s.fresh(v.Name)
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

// eachNode calls visit with the nodes in order; an If whose condition, as cond knows it, is constant gives way to its branch first, and a node that
// parts, if it is not nil, has others for to those.
func eachNode(g *onnxio.Graph, cond func(*onnxio.Node) *onnxio.Tensor, parts func(*onnxio.Node) ([]*onnxio.Node, error), visit func(*onnxio.Node) error) error {
	outer := map[string]*onnxio.Value{}
	taken := namesOf(g)
	note := func(vs []*onnxio.Value) {
		for _, v := range vs {
			if v != nil {
				outer[v.Name] = v
			}
		}
	}
	note(g.Inputs)
	var out []*onnxio.Node
	queue := g.Nodes
	for inlined := 0; len(queue) > 0; {
		n := queue[0]
		queue = queue[1:]
		note(n.Inputs)
		if n.Op == "If" && n.Domain == "" && len(n.Inputs) == 1 && n.Inputs[0] != nil {
			if err := op.CheckForm(n, "then_branch", "else_branch"); err != nil {
				return err
			}
			c := cond(n)
			if c == nil {
				return &onnxio.UnsupportedError{Node: n.Name, Op: n.Op, Domain: n.Domain, Opset: n.Opset, Why: "its condition depends on the input's values"}
			}
			branch, err := branchOf(n, c)
			if err != nil {
				return err
			}
			nodes, err := inline(n, branch, outer, taken)
			if err != nil {
				return err
			}
			if inlined += len(nodes); inlined > maxInlined {
				return &onnxio.NodeError{Node: n.Name, Op: n.Op, Err: fmt.Errorf("branches bring more than %d nodes", maxInlined)}
			}
			queue = append(nodes, queue...)
			continue
		}
		if parts != nil {
			nodes, err := parts(n)
			if err != nil {
				return err
			}
			if nodes != nil {
				if inlined += len(nodes); inlined > maxInlined {
					return &onnxio.NodeError{Node: n.Name, Op: n.Op, Err: fmt.Errorf("parts of operators are more than %d nodes", maxInlined)}
				}
				queue = append(nodes, queue...)
				continue
			}
		}
		if err := visit(n); err != nil {
			return err
		}
		note(n.Outputs)
		out = append(out, n)
	}
	g.Nodes = out
	return nil
}

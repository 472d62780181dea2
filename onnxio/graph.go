package onnxio

import "slices"

// Dim is one entry of a declared shape: a size, or a name for a size that is bound later ("batch"). Size < 0 with an
// empty Name is a size the file says nothing about.
type Dim struct {
	Size int
	Name string
}

// Known tells whether the size is a number.
func (d Dim) Known() bool { return d.Size >= 0 && d.Name == "" }

// Value is an edge of the graph: a graph input, a constant, or one output of a node.
type Value struct {
	Name  string
	DType DType
	// Kind says what the file declares where that is no tensor: "sequence", "map", "optional" or "sparse tensor". DType is then Undefined. Such values
	// can be told of, and written back as they are; nothing computes them.
	Kind string
	// Dims is the shape as the file declares it; nil if the file does not say (HasShape false).
	Dims     []Dim
	HasShape bool
	// Shape is the static shape, set by inference once the symbolic sizes are bound; nil with Dims unbound.
	// For a scalar it is empty and not nil.
	Shape []int
	// Const is the value itself where it is known: an initializer, a Constant, or the result of folding.
	Const *Tensor
	// Producer is the node that computes the value; nil for graph inputs and constants.
	Producer *Node
}

// Static tells whether the shape is known.
func (v *Value) Static() bool { return v.Shape != nil }

// Node is one operation. Absent optional inputs and outputs are nil entries.
type Node struct {
	Name    string
	Op      string
	Domain  string // "" for the standard's own operators ("ai.onnx" is read as "")
	Inputs  []*Value
	Outputs []*Value
	Attrs   Attrs
	// Opset is the version of the node's domain that the model imports; it selects the operator's form.
	Opset int
	// Reading is whose word counts where the standard's and onnxruntime's differ; package infer sets it.
	Reading Reading

	// Unraised says why a node of an opset before 7 could not be brought up to its forms; "" where it was, and for others.
	Unraised string

	// Of names the operator that the node is a part of, where that was written in parts and runtimes may compute it otherwise; "" for none.
	Of string
	// From is the node that was written in others, of which this is one; nil for those that stand in the file. Its values have the shapes of the graph
	// that was made ready.
	From *Node

	place int // among the file's nodes, from 1; 0 for new ones. Nodes without outputs have no other identity
}

// Input returns input i, or nil where it is absent.
func (n *Node) Input(i int) *Value {
	if i < 0 || i >= len(n.Inputs) {
		return nil
	}
	return n.Inputs[i]
}

// ConstInput returns the constant behind input i, or nil where it is absent or not constant.
func (n *Node) ConstInput(i int) *Tensor {
	if v := n.Input(i); v != nil {
		return v.Const
	}
	return nil
}

// Graph is a network: typed values and nodes, the nodes in topological order.
type Graph struct {
	Name    string
	Inputs  []*Value
	Outputs []*Value
	Nodes   []*Node
}

// Clone copies graph, nodes and values; constants and attributes are shared, and must not be changed in place.
func (g *Graph) Clone() *Graph {
	seen := map[*Value]*Value{}
	value := func(v *Value) *Value {
		if v == nil {
			return nil
		}
		if c, ok := seen[v]; ok {
			return c
		}
		c := *v
		c.Producer = nil
		c.Dims = slices.Clone(v.Dims)
		c.Shape = slices.Clone(v.Shape)
		if v.Shape != nil && c.Shape == nil {
			c.Shape = []int{}
		}
		seen[v] = &c
		return &c
	}
	values := func(vs []*Value) []*Value {
		out := make([]*Value, len(vs))
		for i, v := range vs {
			out[i] = value(v)
		}
		return out
	}
	out := &Graph{Name: g.Name, Inputs: values(g.Inputs)}
	for _, n := range g.Nodes {
		c := *n
		c.Inputs, c.Outputs = values(n.Inputs), values(n.Outputs)
		for _, v := range c.Outputs {
			if v != nil {
				v.Producer = &c
			}
		}
		out.Nodes = append(out.Nodes, &c)
	}
	out.Outputs = values(g.Outputs)
	return out
}

// Consumers maps every value to the nodes that read it, once per use.
func (g *Graph) Consumers() map[*Value][]*Node {
	m := map[*Value][]*Node{}
	for _, n := range g.Nodes {
		for _, v := range n.Inputs {
			if v != nil {
				m[v] = append(m[v], n)
			}
		}
	}
	return m
}

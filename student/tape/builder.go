package tape

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Node is a value in a graph: gorgonia's own.
type Node = gorgonia.Node

// Float are the numbers that graphs compute with: float32 to train, float64 to check gradients.
type Float interface{ float32 | float64 }

// Builder writes a gorgonia graph, node by node. Its methods panic on shapes that do not fit: the caller has checked them.
type Builder struct {
	Graph  *gorgonia.ExprGraph
	Pool   *Pool
	dtype  tensor.Dtype
	nodes  []*Node // with an operator, in the order in which they can run
	kids   map[*Node][]*Node
	names  map[string]bool
	knobs  map[string]*Node
	serial uint32

	rooms32 rooms[float32]
	rooms64 rooms[float64]
}

// NewBuilder starts a graph of T.
func NewBuilder[T Float](p *Pool) *Builder {
	b := &Builder{Graph: gorgonia.NewGraph(), Pool: p, dtype: tensor.Float32, kids: map[*Node][]*Node{},
		names: map[string]bool{}, knobs: map[string]*Node{}}
	if _, ok := any(T(0)).(float64); ok {
		b.dtype = tensor.Float64
	}
	return b
}

// Input adds a tensor whose numbers come from outside, all 0 at first: see Elements. Names are unique; a scalar has no sizes.
func (b *Builder) Input(name string, shape ...int) *Node {
	return b.input(name, newValue(b.dtype, shape), shape)
}

// InputOf adds a tensor of a graph of float32 whose numbers are x, not copied: whoever changes x changes what the graph reads.
func (b *Builder) InputOf(name string, x []float32, shape ...int) *Node {
	mustFit(b.dtype == tensor.Float32 && len(shape) > 0 && tensor.Shape(shape).TotalSize() == len(x),
		fmt.Sprintf("%d numbers for an input of %v", len(x), shape))
	return b.input(name, valueOf(x, shape), shape)
}

func (b *Builder) input(name string, v gorgonia.Value, shape []int) *Node {
	if b.names[name] {
		panic("tape: two inputs named " + name)
	}
	b.names[name] = true
	if len(shape) == 0 {
		return gorgonia.NewScalar(b.Graph, b.dtype, gorgonia.WithName(name), gorgonia.WithValue(v))
	}
	return gorgonia.NewTensor(b.Graph, b.dtype, len(shape), gorgonia.WithName(name), gorgonia.WithShape(shape...), gorgonia.WithValue(v))
}

// Constant is an input that nobody sets again: place i of its numbers, in order, holds at(i).
func (b *Builder) Constant(at func(i int) float64, shape ...int) *Node {
	n := b.Input(fmt.Sprintf("constant.%d", len(b.names)), shape...)
	for i := range tensor.Shape(shape).TotalSize() {
		b.set(n, i, at(i))
	}
	return n
}

func (b *Builder) set(n *Node, i int, v float64) {
	if b.dtype == tensor.Float64 {
		Elements[float64](n)[i] = v
	} else {
		Elements[float32](n)[i] = float32(v)
	}
}

// Knob is a scalar that may change from run to run, such as a radius: see SetKnob. Asked for again by its name, it is the same node.
func (b *Builder) Knob(name string) *Node {
	if n := b.knobs[name]; n != nil {
		return n
	}
	n := b.Input("knob."+name, []int{}...)
	b.knobs[name] = n
	return n
}

// SetKnob gives a knob its value for this and all further runs, and tells whether the graph has it.
func (b *Builder) SetKnob(name string, v float64) bool {
	n := b.knobs[name]
	if n != nil {
		b.set(n, 0, v)
	}
	return n != nil
}

// Elements are the numbers of an input, or of a node after a run; not copied. T is the builder's type.
func Elements[T Float](n *Node) []T { return elements[T](n.Value()) }

// apply adds a node.
func (b *Builder) apply(o *operator, in ...*Node) *Node {
	b.serial++
	o.serial = b.serial
	for _, n := range in {
		o.in = append(o.in, n.Dims())
	}
	n, err := gorgonia.ApplyOp(o, in...)
	if err != nil {
		panic(fmt.Sprintf("tape: operator %s: %v", o.name, err))
	}
	b.nodes = append(b.nodes, n)
	b.kids[n] = in
	return n
}

// Gradient gives the derivatives of a scalar in each of wrt, as nodes: reverse accumulation over the operators' own rules. Unlike
// gorgonia.Grad, which marks the nodes that it has passed and shares one constant between all graphs, it may be asked again for another
// scalar of the same graph, for one that holds gradients itself, and by several goroutines for graphs of their own. Where the scalar does
// not depend on one of wrt, its entry is nil.
func (b *Builder) Gradient(cost *Node, wrt ...*Node) []*Node {
	if !cost.IsScalar() {
		panic("tape: the gradient of a tensor")
	}
	needs := map[*Node]bool{}
	for _, n := range wrt {
		needs[n] = true
	}
	nodes := b.nodes // before the gradients' own
	for _, n := range nodes {
		kids := b.kids[n]
		for i, d := range n.Op().(*operator).DiffWRT(len(kids)) {
			if d && needs[kids[i]] {
				needs[n] = true
			}
		}
	}
	grads := map[*Node]*Node{cost: b.Constant(func(int) float64 { return 1 })}
	for i := len(nodes) - 1; i >= 0; i-- {
		n := nodes[i]
		g, o := grads[n], n.Op().(*operator)
		if g == nil || !needs[n] {
			continue
		}
		kids := b.kids[n]
		if o.diff == nil {
			panic(fmt.Sprintf("tape: operator %s has no gradient", o.name))
		}
		ds := o.diff(kids, n, g)
		for k, d := range ds {
			if d == nil || !needs[kids[k]] {
				continue
			}
			if old := grads[kids[k]]; old != nil {
				d = b.Add(old, d)
			}
			grads[kids[k]] = d
		}
	}
	out := make([]*Node, len(wrt))
	for i, n := range wrt {
		out[i] = grads[n]
	}
	return out
}

// both gives an operator its two forms.
func (o *operator) both(f32 func([]float32, [][]float32), f64 func([]float64, [][]float64)) *operator {
	o.run32, o.run64 = f32, f64
	return o
}

func one(n *Node) []*Node { return []*Node{n} }

func mustFit(ok bool, what string, nodes ...*Node) {
	if ok {
		return
	}
	for _, n := range nodes {
		what += fmt.Sprintf(" %v", n.Shape())
	}
	panic("tape: " + what)
}

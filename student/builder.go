package student

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/shallow-waters/shoal/internal/kernel"
)

// Builder writes a gorgonia graph, node by node. Its methods panic on shapes that do not fit: the caller has checked them.
type Builder struct {
	Graph  *gorgonia.ExprGraph
	Pool   *Pool
	dtype  tensor.Dtype
	nodes  []*gorgonia.Node // with an operator, in the order in which they can run
	kids   map[*gorgonia.Node][]*gorgonia.Node
	names  map[string]bool
	knobs  map[string]*gorgonia.Node
	serial uint32
}

// NewBuilder starts a graph of float32, or of float64 for checks of gradients.
func NewBuilder(p *Pool, dtype tensor.Dtype) *Builder {
	return &Builder{Graph: gorgonia.NewGraph(), Pool: p, dtype: dtype, kids: map[*gorgonia.Node][]*gorgonia.Node{}, names: map[string]bool{}, knobs: map[string]*gorgonia.Node{}}
}

// Input adds a tensor whose numbers come from outside, all 0 at first: see Elements. Names are unique; a scalar has no sizes.
func (b *Builder) Input(name string, shape ...int) *gorgonia.Node {
	if b.names[name] {
		panic("student: two inputs named " + name)
	}
	b.names[name] = true
	v := newValue(b.dtype, shape)
	if len(shape) == 0 {
		return gorgonia.NewScalar(b.Graph, b.dtype, gorgonia.WithName(name), gorgonia.WithValue(v))
	}
	return gorgonia.NewTensor(b.Graph, b.dtype, len(shape), gorgonia.WithName(name), gorgonia.WithShape(shape...), gorgonia.WithValue(v))
}

// Knob is a scalar that may change from step to step, such as a radius; the trainer sets it (Step.Set). Asked for again by its name, it is
// the same node.
func (b *Builder) Knob(name string) *gorgonia.Node {
	if n := b.knobs[name]; n != nil {
		return n
	}
	n := b.Input("knob."+name, []int{}...)
	b.knobs[name] = n
	return n
}

// Elements are the numbers of an input, or of a node after a run; not copied. T is the builder's type.
func Elements[T kernel.Float](n *gorgonia.Node) []T { return elements[T](n.Value()) }

// apply adds a node.
func (b *Builder) apply(o *operator, in ...*gorgonia.Node) *gorgonia.Node {
	b.serial++
	o.serial = b.serial
	for _, n := range in {
		o.in = append(o.in, n.Dims())
	}
	n, err := gorgonia.ApplyOp(o, in...)
	if err != nil {
		panic(fmt.Sprintf("student: operator %s: %v", o.name, err))
	}
	b.nodes = append(b.nodes, n)
	b.kids[n] = in
	return n
}

// Gradient gives the derivatives of a scalar in each of wrt, as nodes: reverse accumulation over the operators' own rules. Unlike
// gorgonia.Grad, which marks the nodes that it has passed and shares one constant between all graphs, it may be asked again for another
// scalar of the same graph, for one that holds gradients itself, and by several goroutines for graphs of their own. Where the scalar does
// not depend on one of wrt, its entry is nil.
func (b *Builder) Gradient(cost *gorgonia.Node, wrt ...*gorgonia.Node) []*gorgonia.Node {
	if !cost.IsScalar() {
		panic("student: the gradient of a tensor")
	}
	needs := map[*gorgonia.Node]bool{}
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
	grads := map[*gorgonia.Node]*gorgonia.Node{cost: b.constant(1)}
	for i := len(nodes) - 1; i >= 0; i-- {
		n := nodes[i]
		g, o := grads[n], n.Op().(*operator)
		if g == nil || !needs[n] {
			continue
		}
		kids := b.kids[n]
		if o.diff == nil {
			panic(fmt.Sprintf("student: operator %s has no gradient", o.name))
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
	out := make([]*gorgonia.Node, len(wrt))
	for i, n := range wrt {
		out[i] = grads[n]
	}
	return out
}

// constant is a scalar input that nobody sets again.
func (b *Builder) constant(x float64) *gorgonia.Node {
	name := fmt.Sprintf("constant.%d", len(b.names))
	n := b.Input(name, []int{}...)
	if b.dtype == tensor.Float64 {
		Elements[float64](n)[0] = x
	} else {
		Elements[float32](n)[0] = float32(x)
	}
	return n
}

// both gives an operator its two forms.
func (o *operator) both(f32 func([]float32, [][]float32), f64 func([]float64, [][]float64)) *operator {
	o.run32, o.run64 = f32, f64
	return o
}

func one(n *gorgonia.Node) []*gorgonia.Node { return []*gorgonia.Node{n} }

func mustFit(ok bool, what string, nodes ...*gorgonia.Node) {
	if ok {
		return
	}
	for _, n := range nodes {
		what += fmt.Sprintf(" %v", n.Shape())
	}
	panic("student: " + what)
}

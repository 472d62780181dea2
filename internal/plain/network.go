package plain

import (
	"context"
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/operators"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/infer"
)

// Network is a graph of static shapes as bounds see it: values in an order in which each stands behind what it is made of.
type Network struct {
	values  []*value
	of      map[*onnxio.Value]int
	inputs  []int
	outputs []int
	hinges  int // elements of them
	last    int // value that an activation reads
	hash    string
	In, Out int // elements of all inputs, and of all outputs, together
}

// value is one value of the network. Exactly one of what follows name and size says how it is made; an input has none.
type value struct {
	name string
	n    int

	maps    []*matrix // y = sum of maps[k] of value in[k], and bias
	in      []int
	bias    []float64 // nil for zero
	rel     float64   // coefficients are given up to this share of themselves
	biasErr []float64 // and the bias up to this; nil for nothing

	lines relax.LinesFunc // elementwise of in[0]
	hinge bool            // it is max(x, 0)
	at    int             // and that are so many hinges' elements before it
	relax relax.RelaxFunc // forms of the node's inputs args

	node *onnxio.Node
	out  int // which of its outputs
	def  *op.Def
	args []int // values of the node's inputs; -1 for a constant

	bent   bool // a value that is made of it is not affine: its box matters
	curved bool // nor a hinge, whose lines lose nothing where the sign is known
	idle   bool // nothing is made of it
	exact  bool // it only moves elements, so that nothing is rounded
}

// Prepare loads what proofs are of: the graph with batch size 1, without a last Softmax where drop says so. dropped tells whether there was one.
func Prepare(ctx context.Context, m *onnxio.Model, r onnxio.Reading, drop bool) (net *Network, dropped bool, err error) {
	g, err := infer.Prepare(ctx, m.Graph, infer.Options{Batch: 1, Reading: r, Steps: true})
	if err != nil {
		return nil, false, err
	}
	if drop {
		g, dropped = infer.WithoutSoftmax(g, 1)
	}
	net, err = Open(g)
	return net, dropped, err
}

// Open makes a network of a prepared graph. The error names the node that has no bounds.
func Open(g *onnxio.Graph) (net *Network, err error) {
	net = &Network{of: map[*onnxio.Value]int{}}
	for _, in := range g.Inputs {
		if in.Const != nil {
			continue
		}
		if !in.Static() {
			return nil, fmt.Errorf("input %q has no static shape", in.Name)
		}
		id := net.add(in, &value{})
		net.inputs = append(net.inputs, id)
		net.In += net.values[id].n
	}
	for _, n := range g.Nodes {
		if err := net.node(n); err != nil {
			return nil, err
		}
	}
	for _, o := range g.Outputs {
		id, ok := net.of[o]
		if !ok && o.Const == nil {
			return nil, fmt.Errorf("output %q is not computed", o.Name)
		} else if !ok {
			if id, err = net.constant(o); err != nil {
				return nil, err
			}
		}
		net.outputs = append(net.outputs, id)
		net.Out += net.values[id].n
	}
	net.hash = net.digest()
	net.join()
	return net, nil
}

// join has what copies a sum be the sum itself, and so takes the bias that an Add brings into the map before it. A sum that can be split stays:
// what is known of its sides goes through it.
func (net *Network) join() {
	for _, v := range net.values {
		for k, a := range v.maps {
			v.maps[k] = a.lean()
		}
		if len(v.maps) != 1 || !v.maps[0].same || v.rel != 0 || v.biasErr != nil {
			continue
		}
		if u := net.values[v.in[0]]; u.maps != nil && !u.bent && u.biasErr == nil && (u.bias == nil || v.bias == nil) {
			if v.maps, v.in, v.rel = u.maps, u.in, u.rel; v.bias == nil {
				v.bias = u.bias
			}
		}
	}
	read := slices.Clone(net.outputs)
	for _, v := range net.values {
		v.idle, read = v.maps != nil, append(read, v.in...)
		v.exact = v.rel == 0 && v.biasErr == nil && (len(v.maps) == 0 || len(v.maps) == 1 && v.maps[0].moves && v.bias == nil)
		v.bias, v.biasErr = append(v.bias, make([]float64, v.n-len(v.bias))...), append(v.biasErr, make([]float64, v.n-len(v.biasErr))...)
	}
	for _, i := range read {
		net.values[i].idle = false
	}
}

func (net *Network) add(o *onnxio.Value, v *value) int {
	v.name, v.n, v.at = o.Name, onnxio.NumElements(o.Shape), net.hinges
	if v.hinge {
		net.hinges += v.n
	}
	net.of[o] = len(net.values)
	net.values = append(net.values, v)
	for _, i := range v.in {
		if v.maps == nil {
			net.values[i].bent, net.last = true, max(net.last, i)
		}
		net.values[i].curved = net.values[i].curved || v.maps == nil && !v.hinge
	}
	return len(net.values) - 1
}

func (net *Network) constant(o *onnxio.Value) (int, error) {
	f, err := o.Const.Float64s()
	if err != nil {
		return 0, fmt.Errorf("constant %q: %w", o.Name, err)
	}
	return net.add(o, &value{maps: []*matrix{}, bias: f}), nil
}

func (net *Network) node(n *onnxio.Node) error {
	def, err := operators.Lookup(n)
	if err != nil {
		return err
	}
	args, varying := make([]int, len(n.Inputs)), 0
	for i, in := range n.Inputs {
		args[i] = -1
		if in == nil || in.Const != nil {
			continue
		}
		id, ok := net.of[in]
		if !ok {
			return &onnxio.NodeError{Node: n.Name, Op: n.Op, Err: fmt.Errorf("input %q is not computed", in.Name)}
		}
		args[i] = id
		varying++
	}
	var lin *op.Linear
	if def.Linear != nil && varying > 0 {
		if lin, err = def.Linear(n); err != nil {
			if def.Interval == nil {
				return &onnxio.NodeError{Node: n.Name, Op: n.Op, Err: err}
			}
			lin = nil
		}
	}
	for k, o := range n.Outputs {
		if o == nil {
			continue
		}
		if varying == 0 {
			_, err = net.constant(o)
		} else {
			err = net.output(n, def, lin, args, k)
		}
		if err != nil {
			return &onnxio.NodeError{Node: n.Name, Op: n.Op, Err: err}
		}
	}
	return nil
}

// output adds output k of a node: affine, between lines or forms, or known by its box alone.
func (net *Network) output(n *onnxio.Node, def *op.Def, lin *op.Linear, args []int, k int) error {
	o := n.Outputs[k]
	v := &value{node: n, out: k, def: def, args: args}
	var maps []affine.Map
	if lin != nil {
		if maps = lin.Maps; lin.PerOutput != nil {
			maps = lin.PerOutput[k]
		} else if k > 0 {
			lin, maps = nil, nil // of outputs behind the first only the box is known
		}
	}
	for i, m := range maps {
		if m != nil && (i >= len(args) || args[i] < 0) {
			lin, maps = nil, nil // it describes itself by an input that is constant
			break
		}
	}
	switch {
	case maps != nil:
		v.maps, v.rel, v.biasErr = []*matrix{}, lin.RelErr, lin.BiasErr
		if lin.PerOutput == nil {
			v.bias = lin.Bias
		}
		for i, a := range maps {
			if a == nil {
				continue
			}
			m, err := newMatrix(a)
			if err != nil {
				return err
			}
			if m.in != net.values[args[i]].n || m.out != onnxio.NumElements(o.Shape) {
				return fmt.Errorf("map %d is %d to %d", i, m.in, m.out)
			}
			v.maps, v.in = append(v.maps, m), append(v.in, args[i])
		}
	case lin != nil && lin.Lines != nil:
		v.lines, v.hinge, v.in = lin.Lines, lin.Kink, []int{args[lin.Input]}
	case def.Interval != nil:
		if lin != nil {
			v.relax = lin.Relax
		}
		for _, a := range args {
			if a >= 0 {
				v.in = append(v.in, a)
			}
		}
	default:
		return fmt.Errorf("it has no bounds")
	}
	net.add(o, v)
	return nil
}

func (v *value) input() bool { return v.def == nil && v.maps == nil }

// Named is the value of that name that some activation reads, -1 where there is none: what a part of the input set may be split at.
func (net *Network) Named(name string) int {
	return slices.IndexFunc(net.values, func(v *value) bool { return v.bent && v.name == name })
}

package bound

import (
	"context"
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/operators"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/infer"
)

// Compile turns a prepared graph (static shapes, constants folded) into a network, until the context ends and within its budget of memory, which
// the network's passes ask too.
func Compile(ctx context.Context, g *onnxio.Graph, dropSoftmax bool) (*Network, error) {
	c := &compiler{ctx: ctx, room: budget.Of(ctx), net: &Network{}, of: map[*onnxio.Value]int{}}
	if dropSoftmax {
		g, c.net.softmax = infer.WithoutSoftmax(g, 1)
	}
	c.graph = g
	for range 3 { // an input's order may be asked for by a convolution behind it: then begin again with it
		err := c.run()
		if err == nil {
			return c.net, nil
		}
		if err != errRestart {
			return nil, err
		}
	}
	return nil, fmt.Errorf("verify: the inputs' storage orders do not settle")
}

var errRestart = fmt.Errorf("again")

type compiler struct {
	ctx   context.Context
	room  *budget.Budget
	net   *Network
	graph *onnxio.Graph
	of    map[*onnxio.Value]int
	want  map[int]affine.Order // orders asked for, by input number
}

func (c *compiler) run() error {
	soft := c.net.softmax
	c.net = &Network{softmax: soft, room: c.room}
	c.of = map[*onnxio.Value]int{}
	if c.want == nil {
		c.want = map[int]affine.Order{}
	}
	for i, in := range c.graph.Inputs {
		if in.Const != nil {
			continue
		}
		if !in.Static() {
			return fmt.Errorf("input %q has no static shape", in.Name)
		}
		n := onnxio.NumElements(in.Shape)
		v := c.add(&value{kind: kindInput, name: in.Name, n: n, order: affine.Flat(n), exact: true, separate: true})
		if o, ok := c.want[i]; ok {
			v.order = o
		}
		c.of[in] = v.id
		c.net.inputs = append(c.net.inputs, v.id)
		c.net.nIn += n
	}
	for _, n := range c.graph.Nodes {
		if err := c.ask(n); err != nil {
			return err
		}
		if err := c.node(n); err != nil {
			return err
		}
	}
	for _, o := range c.graph.Outputs {
		id, ok := c.of[o]
		if !ok {
			if o.Const == nil {
				return fmt.Errorf("output %q is not computed", o.Name)
			}
			id = c.constant(o)
		}
		c.net.outputs = append(c.net.outputs, id)
		c.net.nOut += c.net.values[id].n
	}
	c.finish()
	return nil
}

func (c *compiler) add(v *value) *value {
	v.id = len(c.net.values)
	c.net.values = append(c.net.values, v)
	return v
}

// constant makes a value that does not vary: an affine step of no inputs.
func (c *compiler) constant(o *onnxio.Value) int {
	f, err := o.Const.Float64s()
	if err != nil {
		f = make([]float64, o.Const.Len())
	}
	v := c.add(&value{kind: kindAffine, name: o.Name, n: len(f), order: affine.Flat(len(f)), bias: f, exact: true, separate: true,
		exec: op.Exact("a constant")})
	c.of[o] = v.id
	return v.id
}

func (c *compiler) node(n *onnxio.Node) error {
	def, err := operators.Lookup(n)
	if err != nil {
		return err
	}
	args := make([]int, len(n.Inputs))
	varying := 0
	for i, in := range n.Inputs {
		args[i] = -1
		if in == nil || in.Const != nil {
			continue
		}
		id, ok := c.of[in]
		if !ok {
			return &onnxio.NodeError{Node: n.Name, Op: n.Op, Err: fmt.Errorf("input %q is not computed", in.Name)}
		}
		args[i] = id
		varying++
	}
	if varying == 0 {
		for _, o := range n.Outputs {
			if o != nil && o.Const != nil {
				c.constant(o)
			}
		}
		return nil
	}
	var lin *op.Linear
	if def.Linear != nil {
		lin, err = def.Linear(n)
		if err != nil && def.Interval == nil {
			return &onnxio.NodeError{Node: n.Name, Op: n.Op, Err: err}
		}
		if err != nil {
			lin = nil
		}
	}
	for k, o := range n.Outputs {
		if o == nil {
			continue
		}
		if err := c.output(n, def, lin, args, k, o); err != nil {
			return err
		}
	}
	return nil
}

// mapsVary tells whether every map of output k is of an input that varies. An operator may describe itself by its first input where that is constant
// and another one varies: it is then known by its box alone.
func mapsVary(lin *op.Linear, k int, args []int) bool {
	maps := lin.Maps
	if lin.PerOutput != nil && k < len(lin.PerOutput) {
		maps = lin.PerOutput[k]
	}
	for i, m := range maps {
		if m != nil && (i >= len(args) || args[i] < 0) {
			return false
		}
	}
	return true
}

func (c *compiler) output(n *onnxio.Node, def *op.Def, lin *op.Linear, args []int, k int, o *onnxio.Value) error {
	size := onnxio.NumElements(o.Shape)
	// Of outputs behind the first only the box is known, unless there are maps of their own.
	if k > 0 && lin != nil && lin.PerOutput == nil {
		lin = &op.Linear{Execution: lin.Execution.Other()}
	}
	if lin != nil && def.Interval != nil && !mapsVary(lin, k, args) {
		lin = nil
	}
	v := &value{name: o.Name, node: n, out: k, n: size, def: def, lin: lin, args: args}
	if lin != nil {
		v.exec = lin.Execution
	}
	if x, e, ok := operators.JoinedNorm(n); ok {
		if from, known := c.of[x]; known {
			v.part = &joined{from, e}
		}
	}
	switch {
	case lin != nil && (lin.Maps != nil || lin.PerOutput != nil):
		maps := lin.Maps
		if lin.PerOutput != nil {
			maps = lin.PerOutput[k]
		}
		return c.affine(v, o, maps)
	case lin != nil && lin.Lines != nil:
		in := c.net.values[args[lin.Input]]
		v.kind, v.in, v.order = kindAct, []int{in.id}, in.order
		v.relu, v.family, v.rising = lin.Kink, lin.Family, def.Rising != nil && def.Rising(n)
		v.exact, v.separate = in.exact, in.separate
	case lin != nil && lin.Relax != nil && def.Interval != nil:
		v.kind, v.order = kindRelax, affine.Flat(size)
		if g := lin.Window; g != nil {
			v.order = affine.ChannelsLast(g.C, g.OH, g.OW)
			id, err := c.demand(args[0], affine.ChannelsLast(g.C, g.H, g.W))
			if err != nil {
				return err
			}
			v.args = slices.Clone(args)
			v.args[0] = id
		}
	case def.Interval != nil:
		v.kind, v.order = kindOpaque, affine.Flat(size)
	default:
		return n.Lacks("Interval", "it cannot be verified with these inputs")
	}
	if v.kind == kindRelax || v.kind == kindOpaque {
		v.in = nil
		for _, a := range v.args {
			if a >= 0 && !slices.Contains(v.in, a) {
				v.in = append(v.in, a)
			}
		}
	}
	c.of[o] = c.add(v).id
	return nil
}

// alias gives a value another meaning of the same storage.
func (c *compiler) alias(of *value, order affine.Order, v *value) int {
	if affine.SamePlaces(of.order, order) && of.order.Geom == order.Geom {
		return of.id
	}
	v.kind, v.order = kindAffine, order
	v.in = []int{of.id}
	v.steps = []affine.Step{&affine.SameStep{G: of.order.Geom}}
	v.exact, v.separate = of.exact, of.separate
	v.terms = 1
	v.exec = op.Exact("elements move")
	return c.add(v).id
}

// demand returns the value stored in the given order: itself, or with a step that reorders it. Where only steps that keep
// the storage stand between a graph input and it, the input itself is stored so, and compilation begins again.
func (c *compiler) demand(id int, want affine.Order) (int, error) {
	v := c.net.values[id]
	same := affine.SamePlaces(v.order, want)
	if same && v.order.Geom == want.Geom {
		return id, nil
	}
	if root := c.storageRoot(v); root != nil {
		i := slices.Index(c.net.inputs, root.id)
		if _, done := c.want[i]; !done {
			// Stored element k of v is root's element at(k): find where want's k-th element is stored now.
			inv := v.order.Inverse()
			perm := make([]int32, v.n)
			for k := range perm {
				now := want.At(k)
				if inv != nil {
					now = int(inv[now])
				}
				perm[k] = int32(root.order.At(now))
			}
			c.want[i] = affine.Order{Geom: want.Geom, Perm: perm}
			return 0, errRestart
		}
	}
	var step affine.Step = &affine.SameStep{G: v.order.Geom}
	if !same {
		step = affine.Reorder(v.order, want)
	}
	r := c.add(&value{kind: kindAffine, name: v.name, node: v.node, n: v.n, order: want, in: []int{id}, terms: 1,
		steps: []affine.Step{step}, exact: v.exact, separate: v.separate, exec: op.Exact("elements move")})
	return r.id, nil
}

func (c *compiler) storageRoot(v *value) *value {
	for v.kind != kindInput {
		if v.kind != kindAffine || len(v.in) != 1 {
			return nil
		}
		switch v.steps[0].(type) {
		case *affine.SameStep, *affine.DiagStep:
		default:
			return nil
		}
		v = c.net.values[v.in[0]]
	}
	return v
}

// finish sets the rounding factors.
func (c *compiler) finish() {
	for _, v := range c.net.values {
		if v.kind == kindAffine {
			v.setGamma()
		}
	}
	c.net.products = c.net.findProducts()
}

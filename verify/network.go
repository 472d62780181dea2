package verify

import (
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// kind says how bounds pass a node.
type kind int

const (
	kindInput  kind = iota // a graph input
	kindAffine             // sum of maps of the inputs, and a bias
	kindAct                // elementwise, between two lines
	kindRelax              // between sparse linear forms of the inputs
	kindOpaque             // only its box is known
)

// value is one value of the network, with the step that makes it. Its number is its place in network.values; inputs come
// before what is made of them.
type value struct {
	id    int
	kind  kind
	name  string
	node  *onnxio.Node
	out   int // which output of node
	n     int
	order affine.Order
	in    []int // values that vary, in the order of steps

	// affine
	steps  []affine.Step
	bias   []float64 // in stored order; nil for zero
	terms  int       // terms of one output, bias included
	rel    float64   // relative error of coefficients
	extra  []float64 // absolute error per element, stored order; may be nil
	weight float64   // largest sum of a row's |coefficients|; only with float32 semantics, see measure
	coef   float64   // largest coefficient that a runtime may make by joining layers; the same
	joins  bool      // a scale that a runtime may join with the layer in front of it; the same
	gamma  float64   // rounding factor of m for real semantics
	gamma3 float64   // and the share of float32 executions

	// act, relax, opaque
	def  *op.Def
	lin  *op.Linear
	exec op.Execution
	relu bool
	args []int // value of every node input; -1 for a constant

	exact    bool // interval bounds of this value are the true range, given exact inputs
	separate bool // the elements vary independently of each other
	readers  int
}

// network is a graph made ready for bounds.
type network struct {
	values  []*value
	inputs  []int
	outputs []int
	acts    []int // values that are the input of a nonlinear step, in order
	nIn     int
	nOut    int
	softmax bool
	graph   *onnxio.Graph
}

// compile turns a prepared graph (static shapes, constants folded) into a network.
func compile(g *onnxio.Graph, dropSoftmax bool) (*network, error) {
	c := &compiler{net: &network{graph: g}, of: map[*onnxio.Value]int{}}
	if dropSoftmax {
		g = c.withoutSoftmax(g)
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
	net   *network
	graph *onnxio.Graph
	of    map[*onnxio.Value]int
	want  map[int]affine.Order // orders asked for, by input number
}

// withoutSoftmax leaves a final Softmax or LogSoftmax out: the order of its outputs is that of its inputs.
func (c *compiler) withoutSoftmax(g *onnxio.Graph) *onnxio.Graph {
	if len(g.Outputs) != 1 || g.Outputs[0].Producer == nil {
		return g
	}
	n := g.Outputs[0].Producer
	if n.Op != "Softmax" && n.Op != "LogSoftmax" || n.Domain != "" || n.Inputs[0] == nil || n.Inputs[0].Const != nil {
		return g
	}
	shape := n.Inputs[0].Shape
	axis := n.Attrs.Int("axis", map[bool]int{true: -1, false: 1}[n.Opset >= 13])
	if axis < 0 {
		axis += len(shape)
	}
	// Only a softmax over everything that is not a one keeps the order of all outputs.
	if axis < 0 || axis >= len(shape) || shape[axis] != onnxio.NumElements(shape) {
		return g
	}
	out := *g
	out.Outputs = []*onnxio.Value{n.Inputs[0]}
	out.Nodes = slices.DeleteFunc(slices.Clone(g.Nodes), func(m *onnxio.Node) bool { return m == n })
	c.net.softmax = true
	return &out
}

func (c *compiler) run() error {
	soft := c.net.softmax
	*c.net = network{graph: c.graph, softmax: soft}
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
	def, err := op.Lookup(n)
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

func (c *compiler) output(n *onnxio.Node, def *op.Def, lin *op.Linear, args []int, k int, o *onnxio.Value) error {
	size := onnxio.NumElements(o.Shape)
	// Of outputs behind the first only the box is known, unless there are maps of their own.
	if k > 0 && lin != nil && lin.PerOutput == nil {
		lin = &op.Linear{Execution: lin.Execution.Other()}
	}
	v := &value{name: o.Name, node: n, out: k, n: size, def: def, lin: lin, args: args}
	if lin != nil {
		v.exec = lin.Execution
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
		v.relu = n.Op == "Relu" && n.Domain == ""
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
		return &onnxio.UnsupportedError{Node: n.Name, Op: n.Op, Domain: n.Domain, Opset: n.Opset, Face: "Interval",
			Why: "it cannot be verified with these inputs"}
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

// affine adds an affine value: it chooses the order of storage, and leaves out steps that change nothing.
func (c *compiler) affine(v *value, o *onnxio.Value, maps []affine.Map) error {
	n := v.node
	v.kind = kindAffine
	type term struct {
		m  affine.Map
		in int
	}
	var terms []term
	for i, m := range maps {
		if m == nil {
			continue
		}
		if i >= len(v.args) || v.args[i] < 0 {
			return &onnxio.NodeError{Node: n.Name, Op: n.Op, Err: fmt.Errorf("map %d has no varying input", i)}
		}
		in, out := m.Dims()
		if in != c.net.values[v.args[i]].n || out != v.n {
			return &onnxio.NodeError{Node: n.Name, Op: n.Op, Err: fmt.Errorf("map %d is %d to %d, values are %d to %d", i, in, out, c.net.values[v.args[i]].n, v.n)}
		}
		terms = append(terms, term{m, v.args[i]})
	}
	if len(terms) == 0 {
		return &onnxio.NodeError{Node: n.Name, Op: n.Op, Err: fmt.Errorf("no input varies")}
	}
	first := c.net.values[terms[0].in]
	bias := v.lin.Bias
	if v.lin.PerOutput != nil {
		bias = nil
	}
	// Permutations and copies keep the storage and change only its meaning.
	if len(terms) == 1 && bias == nil && v.lin.RelErr == 0 && v.exec.Moves() {
		switch m := terms[0].m.(type) {
		case *affine.Identity:
			c.of[o] = c.alias(first, first.order, v)
			return nil
		case *affine.Sparse:
			if ord, ok := affine.Permuted(first.order, m); ok {
				c.of[o] = c.alias(first, ord, v)
				return nil
			}
		}
	}
	switch m := terms[0].m.(type) {
	case *affine.Conv:
		v.order = affine.ChannelsLast(m.M, m.OH, m.OW)
	case *affine.Identity, *affine.Diag:
		v.order = first.order
	default:
		v.order = affine.Flat(v.n)
	}
	v.exact, v.separate = len(terms) == 1 && first.separate && first.exact, false
	for _, t := range terms {
		in := c.net.values[t.in]
		if m, ok := t.m.(*affine.Conv); ok {
			id, err := c.demand(t.in, affine.ChannelsLast(m.C, m.H, m.W))
			if err != nil {
				return err
			}
			in = c.net.values[id]
		}
		switch t.m.(type) {
		case *affine.Identity, *affine.Diag:
			// Steps that keep the storage keep rows' windows, which are no windows of another geometry: a copy reshapes them first.
			if affine.SamePlaces(in.order, v.order) {
				in = c.net.values[c.alias(in, v.order, &value{name: in.name, node: in.node, n: in.n})]
			}
		}
		v.in = append(v.in, in.id)
		v.steps = append(v.steps, affine.Lower(t.m, in.order, v.order))
		po, _ := t.m.Terms()
		v.terms += po
		switch t.m.(type) {
		case *affine.Identity, *affine.Diag:
			v.separate = len(terms) == 1 && in.separate
		}
	}
	if bias != nil {
		v.bias = make([]float64, v.n)
		v.order.Store(v.bias, bias)
		v.terms++
	}
	if v.lin.BiasErr != nil {
		v.extra = make([]float64, v.n)
		v.order.Store(v.extra, v.lin.BiasErr)
	}
	v.rel = v.lin.RelErr
	// MatMul and then Add of a constant: one step, which is exact as long as the first had no bias.
	if id, ok := terms[0].m.(*affine.Identity); ok && len(terms) == 1 && bias != nil && id.N == first.n &&
		first.kind == kindAffine && first.bias == nil && first.extra == nil && v.rel == 0 && v.extra == nil && c.soleReader(n) &&
		first.exec.Plain() && v.exec.Plain() &&
		affine.SamePlaces(first.order, v.order) && len(first.steps) > 0 {
		first.bias = v.bias
		first.terms++
		first.exec = first.exec.Then(v.exec)
		first.node = v.node
		c.of[o] = first.id
		return nil
	}
	c.of[o] = c.add(v).id
	return nil
}

// soleReader tells whether the node's varying input is read by nobody else, so that it may be changed.
func (c *compiler) soleReader(n *onnxio.Node) bool {
	for _, in := range n.Inputs {
		if in == nil || in.Const != nil {
			continue
		}
		reads := 0
		id := c.of[in]
		for _, m := range c.graph.Nodes {
			for _, x := range m.Inputs {
				if x != nil {
					if other, ok := c.of[x]; ok && other == id {
						reads++
					}
				}
			}
		}
		if reads != 1 || slices.Contains(c.graph.Outputs, in) {
			return false
		}
	}
	return true
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

// finish counts readers and sets the rounding factors.
func (c *compiler) finish() {
	net := c.net
	need := map[int]bool{}
	for _, v := range net.values {
		for _, i := range v.in {
			net.values[i].readers++
			if v.kind == kindAct || v.kind == kindRelax || v.kind == kindOpaque {
				need[i] = true
			}
		}
		if v.kind == kindAffine {
			v.setGamma()
		}
	}
	for _, v := range net.values {
		if need[v.id] {
			net.acts = append(net.acts, v.id)
		}
	}
}

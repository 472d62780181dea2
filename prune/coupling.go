package prune

import (
	"context"
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/operators"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/infer"
)

// Coupling is a graph's slots and what ties them.
type Coupling struct {
	// Classes are the groups of units that can be pruned, in the order of the graph; see Class.
	Classes []*Class
	// Pinned are the layers with channels that cannot go, in the order of the graph.
	Pinned []PinnedLayer

	file *onnxio.Graph // as it was given
	*choices
	graph *onnxio.Graph // first's

	axes   []op.Axis
	start  map[op.Axis]int // slot numbers of an axis begin here
	parent []int32
	reason []int32 // of a root: 1 + index into reasons; 0 for none

	reasons  []string
	reasonOf map[string]int32
	regroups []*regroup
	twins    map[*onnxio.Value]*onnxio.Value
	filters  []marked
	ends     []marked
	scales   []marked
	read     map[*onnxio.Value][]reading
	packed   map[op.Axis]func(slot int) []float64 // filters whose elements are no numbers
	readers  map[*onnxio.Value][]*onnxio.Node     // of graph, from the first time on that they are asked for
	extra    []pin
	folds    bool                     // what removed channels send on is folded into later layers
	around   map[string]*onnxio.Value // of graph, from the first time on that they are asked for
	fault    error                    // a node that names a slot that its values do not have
}

// marked is an axis with the node that marked it.
type marked struct {
	axis op.Axis
	node *onnxio.Node
}

// pin is a node (by number) found not to take smaller sizes.
type pin struct {
	at  int
	why string
}

// PinnedLayer is a layer of which some channels are held.
type PinnedLayer struct {
	Layer    string `json:"layer"`
	Channels int    `json:"channels"` // how many
	Why      string `json:"why"`
}

// Analyse finds what can be removed from a graph. Sizes that the file leaves open, apart from the batch, may be given by name, or as
// input:axis where they have none; those that are not are tried. The error is an *onnxio.UnsupportedError for operators that shoal does not know.
func Analyse(g *onnxio.Graph, dims map[string]int) (*Coupling, error) {
	return analyse(context.Background(), g, dims, nil, false)
}

// absorb tells that what removed channels send on is to be folded into later layers.
func analyse(ctx context.Context, g *onnxio.Graph, dims map[string]int, extra []pin, absorb bool) (*Coupling, error) {
	if err := g.Check(); err != nil {
		return nil, err
	}
	g = infer.Live(g)
	c := &Coupling{file: g, start: map[op.Axis]int{}, reasonOf: map[string]int32{},
		read: map[*onnxio.Value][]reading{}, packed: map[op.Axis]func(int) []float64{}, extra: extra, folds: absorb}
	var err error
	if c.choices, err = trySizes(ctx, g, dims); err != nil {
		return nil, err
	}
	c.graph = c.first.graph
	for _, n := range c.graph.Nodes {
		one := c.node
		if c.first.inside[n] != nil {
			one = c.inside
		}
		if err := one(n); err != nil {
			return nil, err
		}
	}
	for _, v := range c.graph.Inputs {
		c.pinValue(v, "it is an input of the model")
	}
	for _, v := range c.graph.Outputs {
		c.pinValue(v, "it is an output of the model")
	}
	c.pinExtra()
	c.pinUnsettled()
	c.resolve()
	c.classes()
	c.unled()
	return c, nil
}

// node lets an operator say its ties.
func (c *Coupling) node(n *onnxio.Node) error {
	def, err := operators.Lookup(n)
	if err != nil {
		return err
	}
	if def.Couple == nil || len(n.Outputs) == 0 || n.Outputs[0] == nil || slices.Contains(n.Inputs[:min(1, len(n.Inputs))], nil) {
		for _, v := range slices.Concat(n.Inputs, n.Outputs) {
			c.pinValue(v, impassable(n))
		}
		return nil
	}
	def.Couple(n, &nodeCoupler{c, n})
	return c.fault
}

func (c *Coupling) pinValue(v *onnxio.Value, why string) {
	if v == nil {
		return
	}
	for i := range v.Shape {
		c.pin(op.Axis{Value: v, Axis: i}, why)
	}
}

// pinExtra pins all that a node reads and gives. Of a constant, it pins what the constant was made from: values whose shapes are read.
func (c *Coupling) pinExtra() {
	done := map[*onnxio.Node]bool{}
	var one func(n *onnxio.Node, why string)
	one = func(n *onnxio.Node, why string) {
		if done[n] {
			return
		}
		done[n] = true
		for _, v := range c.touched(n) {
			c.pinValue(v, why)
			if v != nil && v.Const != nil && v.Producer != nil {
				one(v.Producer, why)
			}
		}
	}
	for _, p := range c.extra {
		n := c.graph.Nodes[p.at]
		one(n, fmt.Sprintf("%s (node %q)", p.why, n.Name))
	}
}

// slot is the number of a slot; axes get theirs when they are first named.
func (c *Coupling) slot(a op.Axis, i int) int32 {
	first, ok := c.start[a]
	if !ok {
		first = len(c.parent)
		c.start[a] = first
		c.axes = append(c.axes, a)
		for k := range a.Size() {
			c.parent = append(c.parent, int32(first+k))
			c.reason = append(c.reason, 0)
		}
	}
	return int32(first + i)
}

// root finds a slot's unit, halving the path.
func (c *Coupling) root(s int32) int32 {
	for c.parent[s] != s {
		c.parent[s] = c.parent[c.parent[s]]
		s = c.parent[s]
	}
	return s
}

func (c *Coupling) tie(s, t int32) {
	s, t = c.root(s), c.root(t)
	if s == t {
		return
	}
	if t < s { // the earlier slot stands for the unit: numbers do not depend on the order of ties
		s, t = t, s
	}
	c.parent[t] = s
	if c.reason[s] == 0 {
		c.reason[s] = c.reason[t]
	}
}

func (c *Coupling) pin(a op.Axis, why string) {
	for i := range a.Size() {
		c.pinSlot(c.slot(a, i), why)
	}
}

func (c *Coupling) pinSlot(s int32, why string) {
	r := c.root(s)
	if c.reason[r] != 0 {
		return
	}
	k, ok := c.reasonOf[why]
	if !ok {
		c.reasons = append(c.reasons, why)
		k = int32(len(c.reasons))
		c.reasonOf[why] = k
	}
	c.reason[r] = k
}

// pinned tells whether no slot of an axis can go.
func (c *Coupling) pinned(a op.Axis) bool {
	for i := range a.Size() {
		if c.reason[c.root(c.slot(a, i))] == 0 {
			return false
		}
	}
	return true
}

// batched tells whether an axis of a value grows with the batch.
func (c *Coupling) batched(v *onnxio.Value, axis int) bool {
	for _, s := range c.others {
		if s.what != batchSize {
			continue
		}
		if c.twins == nil {
			c.twins = pairs(c.graph, s.graph)
		}
		w := c.twins[v]
		return w != nil && w.Shape[axis]*c.first.o.Batch == v.Shape[axis]*s.o.Batch
	}
	return false
}

// pairs maps the values of a graph to those of another copy of it.
func pairs(from, to *onnxio.Graph) map[*onnxio.Value]*onnxio.Value {
	at := map[*onnxio.Value]*onnxio.Value{}
	pair := func(a, b []*onnxio.Value) {
		for i, v := range a {
			if v != nil {
				at[v] = b[i]
			}
		}
	}
	pair(from.Inputs, to.Inputs)
	for i, n := range from.Nodes {
		pair(n.Inputs, to.Nodes[i].Inputs)
		pair(n.Outputs, to.Nodes[i].Outputs)
	}
	return at
}

// nodeCoupler takes down what one node says.
type nodeCoupler struct {
	c *Coupling
	n *onnxio.Node
}

// has tells whether an axis has a slot. Faces read slots out of a node's constants, and shapes say nothing of those: an index may lie outside
// of what it chooses from, in the file or at the sizes that were asked for. Then the node cannot run, and there is nothing to prune.
func (k *nodeCoupler) has(a op.Axis, i int) bool {
	if i >= 0 && i < a.Size() {
		return true
	}
	if k.c.fault == nil {
		k.c.fault = fmt.Errorf("node %q (%s): index %d outside a size of %d", k.n.Name, k.n.Op, i, a.Size())
	}
	return false
}

func (k *nodeCoupler) Tie(a op.Axis, i int, b op.Axis, j int) {
	if k.has(a, i) && k.has(b, j) {
		k.c.tie(k.c.slot(a, i), k.c.slot(b, j))
	}
}

func (k *nodeCoupler) Pin(a op.Axis, why string) {
	k.c.pin(a, fmt.Sprintf("%s (value %q, axis %d, at node %q)", why, a.Value.Name, a.Axis, k.n.Name))
}

func (k *nodeCoupler) PinSlot(a op.Axis, i int, why string) {
	if !k.has(a, i) {
		return
	}
	k.c.pinSlot(k.c.slot(a, i), fmt.Sprintf("%s (value %q, axis %d, at node %q)", why, a.Value.Name, a.Axis, k.n.Name))
}

func (k *nodeCoupler) Ends(a op.Axis) { k.c.ends = append(k.c.ends, marked{a, k.n}) }

func (k *nodeCoupler) Quantised(v, scale, zero *onnxio.Value, axis int) {
	k.c.read[v] = append(k.c.read[v], reading{k.n, scale, zero, axis})
}

func (k *nodeCoupler) Filters(a op.Axis) { k.c.filters = append(k.c.filters, marked{a, k.n}) }

func (k *nodeCoupler) PackedFilters(a op.Axis, filter func(slot int) []float64) {
	k.Filters(a)
	k.c.packed[a] = filter
}

func (k *nodeCoupler) Scales(a op.Axis) { k.c.scales = append(k.c.scales, marked{a, k.n}) }

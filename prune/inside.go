package prune

import (
	"fmt"
	"maps"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/operators"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/infer"
)

// A node with graphs of its own (If, Loop, Scan) stays as the file has it: of what is in its graphs only sizes that they declare change. Slots go
// through it where everything in its graphs carries them in their places; what meets a constant in there, a sum, or a node that speaks of sizes, is
// held, and with it the filters that made it.

// touched are the values that a node reads and gives, those of the graph around that its graphs read by name with them.
func (c *Coupling) touched(n *onnxio.Node) []*onnxio.Value {
	out := slices.Concat(n.Inputs, n.Outputs)
	if c.first.inside[n] == nil {
		return out
	}
	if c.around == nil {
		c.around = map[string]*onnxio.Value{}
		eachValue(c.graph, func(v *onnxio.Value) { c.around[v.Name] = v })
	}
	for _, name := range slices.Sorted(maps.Keys(infer.Reads(n))) {
		if v := c.around[name]; v != nil {
			out = append(out, v)
		}
	}
	return out
}

// inside lets what a node's graphs hold say its ties.
func (c *Coupling) inside(n *onnxio.Node) error {
	in := c.first.inside[n]
	hold := func(vs []*onnxio.Value, why string) {
		for _, v := range vs {
			c.pinValue(v, why)
		}
	}
	switch {
	case in.Partly:
		hold(c.touched(n), fmt.Sprintf("node %q (%s) has a graph that is not run", n.Name, n.Op))
		return nil
	case c.folds:
		hold(c.touched(n), fmt.Sprintf("what channels send on through node %q (%s) may depend on the input", n.Name, n.Op))
		return nil
	}
	why := fmt.Sprintf("it meets what lies in a graph of node %q (%s)", n.Name, n.Op)
	for _, v := range c.touched(n) {
		if v != nil && v.Const != nil {
			c.pinValue(v, why)
		}
	}
	for _, m := range in.Nodes {
		def, err := operators.Lookup(m)
		if err != nil {
			return err
		}
		if def.Adapt != nil || def.Couple == nil {
			hold(slices.Concat(m.Inputs, m.Outputs), why)
			continue
		}
		for _, v := range m.Inputs {
			if v != nil && v.Const != nil {
				c.pinValue(v, why)
			}
		}
		def.Couple(m, &innerCoupler{nodeCoupler{c, m}, why})
		if c.fault != nil {
			return c.fault
		}
	}
	for _, v := range in.Values {
		c.alike(in.Stand[v], why)
	}
	return nil
}

// alike ties what stands for one value of a node's graph from turn to turn.
func (c *Coupling) alike(vs []*onnxio.Value, why string) {
	for _, v := range vs[1:] {
		if !slices.Equal(v.Shape, vs[0].Shape) {
			for _, v := range vs {
				c.pinValue(v, why)
			}
			return
		}
		for i, d := range v.Shape {
			for k := range d {
				a, b := op.Axis{Value: vs[0], Axis: i}, op.Axis{Value: v, Axis: i}
				c.tie(c.slot(a, k), c.slot(b, k))
			}
		}
	}
}

// innerCoupler takes down what a node says that lies in a graph of another.
type innerCoupler struct {
	nodeCoupler
	why string
}

func (k *innerCoupler) Pin(a op.Axis, _ string) { k.c.pin(a, k.why) }

func (k *innerCoupler) PinSlot(a op.Axis, i int, _ string) {
	if k.has(a, i) {
		k.c.pinSlot(k.c.slot(a, i), k.why)
	}
}

// Ends holds what is summed: ends are looked for, bounded and run in the graph of the file.
func (k *innerCoupler) Ends(a op.Axis)    { k.c.pin(a, k.why) }
func (k *innerCoupler) Filters(a op.Axis) { k.c.pin(a, k.why) }
func (k *innerCoupler) Scales(a op.Axis)  { k.c.pin(a, k.why) }

func (k *innerCoupler) PackedFilters(a op.Axis, _ func(slot int) []float64) { k.c.pin(a, k.why) }

func (k *innerCoupler) Quantised(v, _, _ *onnxio.Value, _ int) { k.c.pinValue(v, k.why) }

// redeclareInside brings the sizes up to date that the graphs of a node declare. was is the node of the analysis, now that of the smaller graph.
func (c *Coupling) redeclareInside(was, now *onnxio.Node, gone removal) {
	in := c.first.inside[was]
	if in == nil {
		return
	}
	dims := map[*onnxio.Value][]onnxio.Dim{}
	for _, v := range in.Values {
		stand := in.Stand[v][0]
		for axis, d := range stand.Shape {
			cut := len(gone[op.Axis{Value: stand, Axis: axis}])
			if cut > 0 && axis < len(v.Dims) && v.Dims[axis].Known() {
				if dims[v] == nil {
					dims[v] = slices.Clone(v.Dims)
				}
				dims[v][axis].Size = d - cut
			}
		}
	}
	if len(dims) > 0 {
		now.Attrs = resized(now.Attrs, dims)
	}
}

// resized are attributes whose graphs declare other sizes.
func resized(attrs onnxio.Attrs, dims map[*onnxio.Value][]onnxio.Dim) onnxio.Attrs {
	out := maps.Clone(attrs)
	for name, a := range attrs {
		g, ok := a.(*onnxio.Graph)
		if !ok {
			continue
		}
		copied := g.Clone()
		for v, w := range pairs(g, copied) {
			if dims[v] != nil {
				w.Dims = dims[v]
			}
		}
		for i, v := range g.Outputs {
			if dims[v] != nil {
				copied.Outputs[i].Dims = dims[v]
			}
		}
		for _, n := range copied.Nodes {
			n.Attrs = resized(n.Attrs, dims)
		}
		out[name] = copied
	}
	return out
}

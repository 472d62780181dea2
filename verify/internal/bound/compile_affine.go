package bound

import (
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/onnxio"
)

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
			return n.Lacks("Interval", fmt.Sprintf("input %d is constant while another one varies", i))
		}
		in, out := m.Dims()
		if in != c.net.values[v.args[i]].n || out != v.n {
			return &onnxio.NodeError{Node: n.Name, Op: n.Op, Err: fmt.Errorf("map %d is %d to %d, values are %d to %d", i, in, out,
				c.net.values[v.args[i]].n, v.n)}
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
	case *affine.Transposed:
		v.order = affine.ChannelsLast(m.Conv.C, m.Conv.H, m.Conv.W)
	case *affine.Identity, *affine.Diag:
		v.order = first.order
	default:
		v.order = affine.Flat(v.n)
	}
	v.exact, v.separate = len(terms) == 1 && first.separate && first.exact, false
	for _, t := range terms {
		in := c.net.values[t.in]
		if order, ok := affine.Needs(t.m); ok {
			id, err := c.demand(t.in, order)
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

package student

import (
	"context"
	"fmt"

	"gorgonia.org/gorgonia"
)

// Machine runs a Builder's graph: a gorgonia.VM that gives every node one place in memory for good. gorgonia's own tape machine allocates
// all values anew in every run, and looks nodes up by name of place; its results are the same bits.
type Machine struct {
	pool   *Pool
	names  []string
	steps  []func()
	nodes  []*gorgonia.Node
	values []gorgonia.Value
}

// NewMachine plans the nodes that the outputs need, and no others.
func NewMachine(b *Builder, outputs ...*gorgonia.Node) (*Machine, error) {
	need := map[*gorgonia.Node]bool{}
	for _, n := range outputs {
		if n == nil {
			return nil, fmt.Errorf("an output of the graph is missing")
		}
		need[n] = true
	}
	for i := len(b.nodes) - 1; i >= 0; i-- {
		if need[b.nodes[i]] {
			for _, k := range b.kids[b.nodes[i]] {
				need[k] = true
			}
		}
	}
	m := &Machine{pool: b.Pool}
	values := map[*gorgonia.Node]gorgonia.Value{}
	value := func(n *gorgonia.Node) gorgonia.Value {
		if v := values[n]; v != nil {
			return v
		}
		return n.Value()
	}
	for _, n := range b.nodes {
		if !need[n] {
			continue
		}
		o := n.Op().(*operator)
		out := newValue(b.dtype, o.out)
		values[n] = out
		var in []gorgonia.Value
		for _, k := range b.kids[n] {
			in = append(in, value(k))
		}
		var step func()
		if b.dtype == gorgonia.Float64 {
			y, x := elements[float64](out), allElements[float64](in)
			step = func() { o.run64(y, x) }
		} else {
			y, x := elements[float32](out), allElements[float32](in)
			step = func() { o.run32(y, x) }
		}
		m.names, m.steps, m.nodes, m.values = append(m.names, o.name), append(m.steps, step), append(m.nodes, n), append(m.values, out)
		if err := gorgonia.UnsafeLet(n, out); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// Run computes everything once. If the context ends it returns its error at once, and values are then of no use.
func (m *Machine) Run(ctx context.Context) error {
	m.pool.ctx = ctx
	defer func() { m.pool.ctx = context.Background() }()
	for _, s := range m.steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		s()
	}
	return ctx.Err()
}

// RunAll implements gorgonia.VM.
func (m *Machine) RunAll() error { return m.Run(context.Background()) }

// Reset implements gorgonia.VM; there is nothing to do.
func (m *Machine) Reset() {}

// Close implements gorgonia.VM.
func (m *Machine) Close() error { return nil }

var _ gorgonia.VM = (*Machine)(nil)

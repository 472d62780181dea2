package tape

import (
	"context"
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"
)

// Machine runs a Builder's graph: a gorgonia.VM that gives every node its place in memory once, for all runs. Places are used again once the
// last reader of a value has run. gorgonia's own tape machine allocates all values anew in every run and looks nodes up by name of place; its
// results are the same bits.
type Machine struct {
	pool  *Pool
	steps []func()
}

// NewMachine plans the nodes that the outputs need, and no others. After a run only the outputs hold their values.
func NewMachine(b *Builder, outputs ...*Node) (*Machine, error) {
	if b == nil || b.kids == nil || b.Pool == nil {
		return nil, fmt.Errorf("a machine needs a builder with a pool; begin with NewBuilder")
	}
	last := map[*Node]int{} // the last reader's number; outputs are read at the end
	for _, n := range outputs {
		if n == nil {
			return nil, fmt.Errorf("an output of the graph is missing")
		}
		last[n] = len(b.nodes)
	}
	for i := len(b.nodes) - 1; i >= 0; i-- {
		if _, needed := last[b.nodes[i]]; !needed {
			continue
		}
		for _, k := range b.kids[b.nodes[i]] {
			if _, seen := last[k]; !seen {
				last[k] = i
			}
		}
	}
	m := &Machine{pool: b.Pool}
	var err error
	if b.dtype == gorgonia.Float64 {
		err = plan[float64](m, b, last)
	} else {
		err = plan[float32](m, b, last)
	}
	return m, err
}

// plan gives the nodes their places.
func plan[T Float](m *Machine, b *Builder, last map[*Node]int) error {
	places := map[*Node][]T{} // whole ones; a value may fill only a part
	var free [][]T
	value := map[*Node][]T{}
	for i, n := range b.nodes {
		if _, needed := last[n]; !needed {
			continue
		}
		o := n.Op().(*operator)
		size := o.out.TotalSize()
		var place []T
		best := -1
		for j, f := range free { // the smallest that is large enough, but not wasteful
			if len(f) >= size && len(f) <= 2*size && (best < 0 || len(f) < len(free[best])) {
				best = j
			}
		}
		if best >= 0 {
			place = free[best]
			free = slices.Delete(free, best, best+1)
		} else {
			place = make([]T, size)
		}
		y := place[:size]
		places[n], value[n] = place, y
		var x [][]T
		for _, k := range b.kids[n] {
			v, ok := value[k]
			if !ok { // an input
				v = elements[T](k.Value())
			}
			x = append(x, v)
		}
		if err := gorgonia.UnsafeLet(n, valueOf(y, o.out)); err != nil {
			return err
		}
		step := func() { o.run32(any(y).([]float32), any(x).([][]float32)) }
		if b.dtype == gorgonia.Float64 {
			step = func() { o.run64(any(y).([]float64), any(x).([][]float64)) }
		}
		m.steps = append(m.steps, step)
		for _, k := range b.kids[n] {
			if p, ok := places[k]; ok && last[k] == i {
				free = append(free, p)
				delete(places, k)
			}
		}
	}
	return nil
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

package tape

import (
	"fmt"

	"gorgonia.org/tensor"
)

// Part is the run of numbers of x that begins at place from, in the shape given. It is closed with its transpose.
func (b *Builder) Part(x *Node, from int, shape ...int) *Node {
	whole, n := x.Shape(), tensor.Shape(shape).TotalSize()
	mustFit(from >= 0 && from+n <= whole.TotalSize(), fmt.Sprintf("%d numbers from %d of", n, from), x)
	o := (&operator{name: fmt.Sprintf("part(%d,%v)", from, shape), out: shape}).both(partRun[float32](from), partRun[float64](from))
	o.diff = func(_ []*Node, _, g *Node) []*Node { return one(b.within(g, from, whole...)) }
	return b.apply(o, x)
}

// within puts g among zeros.
func (b *Builder) within(g *Node, from int, shape ...int) *Node {
	part := g.Shape()
	o := (&operator{name: fmt.Sprintf("within(%d,%v)", from, shape), out: shape}).both(withinRun[float32](from), withinRun[float64](from))
	o.diff = func(_ []*Node, _, d *Node) []*Node { return one(b.Part(d, from, part...)) }
	return b.apply(o, g)
}

func partRun[T Float](from int) func([]T, [][]T) {
	return func(out []T, in [][]T) { copy(out, in[0][from:]) }
}

func withinRun[T Float](from int) func([]T, [][]T) {
	return func(out []T, in [][]T) {
		clear(out)
		copy(out[from:], in[0])
	}
}

package tape

import (
	"fmt"

	"gorgonia.org/tensor"

	"github.com/shallow-waters/shoal/internal/kernel"
)

// Sum adds all elements. It adds in float64, in parts of fixed ends.
func (b *Builder) Sum(x *Node) *Node {
	shape := x.Shape()
	o := (&operator{name: "sum", out: tensor.Shape{}}).both(sumRun[float32](b.Pool), sumRun[float64](b.Pool))
	o.diff = func(_ []*Node, _, g *Node) []*Node { return one(b.Fill(g, shape...)) }
	return b.apply(o, x)
}

func sumRun[T Float](p *Pool) func([]T, [][]T) {
	var part [Parts]float64
	return func(out []T, in [][]T) {
		k := count(len(in[0]), ElementsEach)
		p.each(len(in[0]), ElementsEach, func(_ *kernel.Work, i, from, to int) {
			s := 0.0
			for _, v := range in[0][from:to] {
				s += float64(v)
			}
			part[i] = s
		})
		s := 0.0
		for _, v := range part[:k] {
			s += v
		}
		out[0] = T(s)
	}
}

// Mean is the sum over the number of elements.
func (b *Builder) Mean(x *Node) *Node {
	return b.Scale(1/float64(x.Shape().TotalSize()), b.Sum(x))
}

// Fill gives a tensor of which every element is the scalar s.
func (b *Builder) Fill(s *Node, shape ...int) *Node {
	mustFit(s.IsScalar(), "fill with", s)
	if len(shape) == 0 {
		return s
	}
	o := (&operator{name: fmt.Sprintf("fill(%v)", shape), out: shape}).both(fillRun[float32](b.Pool), fillRun[float64](b.Pool))
	o.diff = func(_ []*Node, _, g *Node) []*Node { return one(b.Sum(g)) }
	return b.apply(o, s)
}

func fillRun[T Float](p *Pool) func([]T, [][]T) {
	return func(out []T, in [][]T) {
		p.each(len(out), ElementsEach, func(_ *kernel.Work, _, from, to int) {
			v := in[0][0]
			for i := range out[from:to] {
				out[from+i] = v
			}
		})
	}
}

// ScaleBy is s * x for a scalar node.
func (b *Builder) ScaleBy(s, x *Node) *Node {
	mustFit(s.IsScalar(), "scale by", s)
	o := (&operator{name: "scaleby", out: x.Shape()}).both(scaleByRun[float32](b.Pool), scaleByRun[float64](b.Pool))
	o.diff = func(in []*Node, _, g *Node) []*Node {
		return []*Node{b.Sum(b.Mul(g, in[1])), b.ScaleBy(in[0], g)}
	}
	return b.apply(o, s, x)
}

func scaleByRun[T Float](p *Pool) func([]T, [][]T) {
	return func(out []T, in [][]T) {
		p.each(len(out), ElementsEach, func(_ *kernel.Work, _, from, to int) { scaleRun(in[0][0])(out[from:to], in[1][from:to]) })
	}
}

// SumRows adds up everything but the last dimension: [..., C] gives [C].
func (b *Builder) SumRows(x *Node) *Node {
	shape := x.Shape()
	c := shape[len(shape)-1]
	o := (&operator{name: "sumrows", out: tensor.Shape{c}}).both(sumRowsRun[float32](b.Pool, c), sumRowsRun[float64](b.Pool, c))
	o.diff = func(_ []*Node, _, g *Node) []*Node { return one(b.Rows(g, shape...)) }
	return b.apply(o, x)
}

func sumRowsRun[T Float](p *Pool, c int) func([]T, [][]T) {
	var partial scratch[T]
	var ones []T
	return func(out []T, in [][]T) {
		rows := len(in[0]) / c
		least := max(1, ElementsEach/c)
		k := count(rows, least)
		part := partial.get(k * c)
		if need := rows/k + 1; len(ones) < need {
			ones = make([]T, need)
			for i := range ones {
				ones[i] = 1
			}
		}
		p.each(rows, least, func(w *kernel.Work, i, from, to int) {
			kernel.Gemm(false, false, 1, c, to-from, ones, to-from, in[0][from*c:to*c], c, part[i*c:(i+1)*c], c, false, w)
		})
		addParts(p, out, part, k)
	}
}

// Rows repeats a vector [C] to the shape [..., C].
func (b *Builder) Rows(v *Node, shape ...int) *Node {
	c := v.Shape().TotalSize()
	mustFit(len(shape) > 0 && shape[len(shape)-1] == c, fmt.Sprintf("rows of shape %v of", shape), v)
	o := (&operator{name: fmt.Sprintf("rows(%v)", shape), out: shape}).both(rowsRun[float32](b.Pool), rowsRun[float64](b.Pool))
	o.diff = func(_ []*Node, _, g *Node) []*Node { return one(b.SumRows(g)) }
	return b.apply(o, v)
}

func rowsRun[T Float](p *Pool) func([]T, [][]T) {
	return func(out []T, in [][]T) {
		c := len(in[0])
		p.each(len(out)/c, max(1, ElementsEach/c), func(_ *kernel.Work, _, from, to int) {
			for i := from; i < to; i++ {
				copy(out[i*c:(i+1)*c], in[0])
			}
		})
	}
}

// AddBias adds a vector [C] to every row of x [..., C].
func (b *Builder) AddBias(x, v *Node) *Node {
	shape := x.Shape()
	c := v.Shape().TotalSize()
	mustFit(len(shape) > 0 && shape[len(shape)-1] == c, "bias for", x, v)
	o := (&operator{name: "addbias", out: shape}).both(biasRun[float32](b.Pool), biasRun[float64](b.Pool))
	o.diff = func(_ []*Node, _, g *Node) []*Node {
		return []*Node{g, b.SumRows(g)}
	}
	return b.apply(o, x, v)
}

func biasRun[T Float](p *Pool) func([]T, [][]T) {
	return func(out []T, in [][]T) {
		c := len(in[1])
		p.each(len(out)/c, max(1, ElementsEach/c), func(_ *kernel.Work, _, from, to int) {
			for i := from; i < to; i++ {
				addRun(out[i*c:(i+1)*c], in[0][i*c:(i+1)*c], in[1])
			}
		})
	}
}

// SumColumns adds up the last dimension: [N, K] gives [N].
func (b *Builder) SumColumns(x *Node) *Node {
	shape := x.Shape()
	mustFit(len(shape) == 2, "sum of columns of", x)
	o := (&operator{name: "sumcolumns", out: tensor.Shape{shape[0]}}).both(sumColumnsRun[float32](b.Pool), sumColumnsRun[float64](b.Pool))
	o.diff = func(_ []*Node, _, g *Node) []*Node { return one(b.Columns(g, shape[1])) }
	return b.apply(o, x)
}

func sumColumnsRun[T Float](p *Pool) func([]T, [][]T) {
	return func(out []T, in [][]T) {
		k := len(in[0]) / len(out)
		p.each(len(out), max(1, ElementsEach/k), func(_ *kernel.Work, _, from, to int) {
			for i := from; i < to; i++ {
				s := T(0)
				for _, v := range in[0][i*k : (i+1)*k] {
					s += v
				}
				out[i] = s
			}
		})
	}
}

// Columns repeats every element of a vector [N] k times: [N, k].
func (b *Builder) Columns(v *Node, k int) *Node {
	n := v.Shape().TotalSize()
	o := (&operator{name: fmt.Sprintf("columns(%d)", k), out: tensor.Shape{n, k}}).both(columnsRun[float32](b.Pool, k), columnsRun[float64](b.Pool, k))
	o.diff = func(_ []*Node, _, g *Node) []*Node { return one(b.SumColumns(g)) }
	return b.apply(o, v)
}

func columnsRun[T Float](p *Pool, k int) func([]T, [][]T) {
	return func(out []T, in [][]T) {
		p.each(len(in[0]), max(1, ElementsEach/k), func(_ *kernel.Work, _, from, to int) {
			for i := from; i < to; i++ {
				for j := range k {
					out[i*k+j] = in[0][i]
				}
			}
		})
	}
}

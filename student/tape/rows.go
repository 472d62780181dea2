package tape

import (
	"math"

	"gorgonia.org/tensor"

	"github.com/shallow-waters/shoal/internal/kernel"
)

// Rows of coefficients are [R, ...]: R/N of them for each of N samples, one sample's after another's. What belongs to a sample, [N, ...], has
// the same further dimensions; N = 1 serves all rows.
type rowsShape struct{ rows, samples, each, width int }

func rowsOf(a, v tensor.Shape) rowsShape {
	s := rowsShape{rows: a[0], samples: v[0]}
	s.each, s.width = s.rows/s.samples, a.TotalSize()/a[0]
	if s.each*s.samples != s.rows || v.TotalSize() != s.samples*s.width {
		panic("tape: rows that do not fit their samples")
	}
	return s
}

// split gives work on samples to the pool, or on columns where all rows share one sample: the sums stay whole in both.
func (s rowsShape) split(p *Pool, f func(sample, row, from, to int)) {
	if s.samples == 1 {
		p.each(s.width, 64, func(_ *kernel.Work, _, from, to int) {
			for r := range s.rows {
				f(0, r, from, to)
			}
		})
		return
	}
	p.each(s.samples, max(1, ElementsEach/(s.each*s.width)), func(_ *kernel.Work, _, from, to int) {
		for i := from; i < to; i++ {
			for r := i * s.each; r < (i+1)*s.each; r++ {
				f(i, r, 0, s.width)
			}
		}
	})
}

// RowDot is the product of every row of a [R, ...] with its sample's v [N, ...]: [R]. It is closed with RowOuter and RowSum:
//
//	y = RowDot(a, v)        da = RowOuter(dy, v)    dv = RowSum(dy, a)
//	a = RowOuter(y, v)      dy = RowDot(da, v)      dv = RowSum(y, da)
//	v = RowSum(y, a)        dy = RowDot(a, dv)      da = RowOuter(y, dv)
func (b *Builder) RowDot(a, v *Node) *Node {
	s := rowsOf(a.Shape(), v.Shape())
	samples, shape := v.Shape(), a.Shape()
	o := (&operator{name: "rowdot", out: tensor.Shape{s.rows}}).both(rowDotRun[float32](b.Pool, s), rowDotRun[float64](b.Pool, s))
	o.diff = func(in []*Node, _, g *Node) []*Node {
		return []*Node{b.RowOuter(g, in[1], shape...), b.RowSum(g, in[0], samples...)}
	}
	return b.apply(o, a, v)
}

func rowDotRun[T Float](p *Pool, s rowsShape) func([]T, [][]T) {
	return func(out []T, in [][]T) {
		a, v := in[0], in[1]
		p.each(s.rows, max(1, ElementsEach/s.width), func(_ *kernel.Work, _, from, to int) {
			for r := from; r < to; r++ {
				i := r / s.each
				out[r] = kernel.Dot(a[r*s.width:(r+1)*s.width], v[i*s.width:(i+1)*s.width])
			}
		})
	}
}

// RowOuter is y[r] times the row's sample of v [N, ...], for each r: [R, ...], of the shape given.
func (b *Builder) RowOuter(y, v *Node, shape ...int) *Node {
	s := rowsOf(shape, v.Shape())
	samples := v.Shape()
	mustFit(y.Shape().TotalSize() == s.rows, "outer product of rows", y, v)
	o := (&operator{name: "rowouter", out: shape}).both(rowOuterRun[float32](b.Pool, s), rowOuterRun[float64](b.Pool, s))
	o.diff = func(in []*Node, _, g *Node) []*Node {
		return []*Node{b.RowDot(g, in[1]), b.RowSum(in[0], g, samples...)}
	}
	return b.apply(o, y, v)
}

func rowOuterRun[T Float](p *Pool, s rowsShape) func([]T, [][]T) {
	return func(out []T, in [][]T) {
		p.each(s.rows, max(1, ElementsEach/s.width), func(_ *kernel.Work, _, from, to int) {
			for r := from; r < to; r++ {
				i := r / s.each
				scaleRun(in[0][r])(out[r*s.width:(r+1)*s.width], in[1][i*s.width:(i+1)*s.width])
			}
		})
	}
}

// RowSum adds up y[r] times row r of a [R, ...] over each sample's rows: [N, ...], of the shape given.
func (b *Builder) RowSum(y, a *Node, shape ...int) *Node {
	s := rowsOf(a.Shape(), shape)
	rows := a.Shape()
	mustFit(y.Shape().TotalSize() == s.rows, "sum of rows", y, a)
	o := (&operator{name: "rowsum", out: shape}).both(rowSumRun[float32](b.Pool, s), rowSumRun[float64](b.Pool, s))
	o.diff = func(in []*Node, _, g *Node) []*Node {
		return []*Node{b.RowDot(in[1], g), b.RowOuter(in[0], g, rows...)}
	}
	return b.apply(o, y, a)
}

func rowSumRun[T Float](p *Pool, s rowsShape) func([]T, [][]T) {
	return func(out []T, in [][]T) {
		clear(out)
		s.split(p, func(i, r, from, to int) {
			kernel.Axpy(in[0][r], in[1][r*s.width+from:r*s.width+to], out[i*s.width+from:i*s.width+to])
		})
	}
}

// ReluRows carries rows a [R, ...] down through y = max(x, 0), of which each neuron lies between two lines through 0 and above it: a
// coefficient above 0 takes the lower slope, one below 0 the upper. lower and upper are [N, ...]. Its gradient cannot be differentiated again.
func (b *Builder) ReluRows(a, lower, upper *Node) *Node {
	s := rowsOf(a.Shape(), lower.Shape())
	shape, samples := a.Shape(), lower.Shape()
	o := (&operator{name: "relurows", out: shape}).both(chosenRun(b.Pool, s, 0, chosen32), chosenRun(b.Pool, s, 0, chosen64))
	o.diff = func(in []*Node, _, g *Node) []*Node {
		da := (&operator{name: "relurowsgradient", out: shape}).both(chosenRun(b.Pool, s, 3, chosen32), chosenRun(b.Pool, s, 3, chosen64))
		half := func(sign int) *Node {
			o := (&operator{name: "relurowsslope", out: samples}).both(halfRun[float32](b.Pool, s, sign), halfRun[float64](b.Pool, s, sign))
			return b.apply(o, in[0], g)
		}
		return []*Node{b.apply(da, in[0], in[1], in[2], g), half(1), half(-1)}
	}
	return b.apply(o, a, lower, upper)
}

// chosenRun multiplies input `what` (the rows themselves, or their gradient) by the slope that the rows' signs choose.
func chosenRun[T Float](p *Pool, s rowsShape, what int, choose func(y, a, x, lower, upper []T)) func([]T, [][]T) {
	return func(out []T, in [][]T) {
		p.each(s.rows, max(1, ElementsEach/s.width), func(_ *kernel.Work, _, from, to int) {
			for r := from; r < to; r++ {
				i := r / s.each
				choose(out[r*s.width:(r+1)*s.width], in[0][r*s.width:(r+1)*s.width], in[what][r*s.width:(r+1)*s.width],
					in[1][i*s.width:(i+1)*s.width], in[2][i*s.width:(i+1)*s.width])
			}
		})
	}
}

// chosen32 chooses by sign bits: a branch on random signs would cost more than all the rest.
func chosen32(y, a, x, lower, upper []float32) {
	a, x, lower, upper = a[:len(y)], x[:len(y)], lower[:len(y)], upper[:len(y)]
	for j := range y {
		negative := uint32(int32(math.Float32bits(a[j])) >> 31)
		y[j] = x[j] * math.Float32frombits(math.Float32bits(lower[j])&^negative|math.Float32bits(upper[j])&negative)
	}
}

func chosen64(y, a, x, lower, upper []float64) {
	for j := range y {
		y[j] = x[j] * lower[j]
		if a[j] < 0 {
			y[j] = x[j] * upper[j]
		}
	}
}

// halfRun adds up g times the coefficients of one sign, over each sample's rows.
func halfRun[T Float](p *Pool, s rowsShape, sign int) func([]T, [][]T) {
	return func(out []T, in [][]T) {
		clear(out)
		s.split(p, func(i, r, from, to int) {
			y := out[i*s.width+from : i*s.width+to]
			a, g := in[0][r*s.width+from:r*s.width+to], in[1][r*s.width+from:r*s.width+to]
			a, g = a[:len(y)], g[:len(y)]
			if sign > 0 {
				for j := range y {
					y[j] += max(a[j], 0) * g[j]
				}
				return
			}
			for j := range y {
				y[j] += min(a[j], 0) * g[j]
			}
		})
	}
}

// NegativeDot is the product of the coefficients below 0 of every row of a [R, ...] with its sample's v [N, ...]: [R]. Its gradient cannot be
// differentiated again.
func (b *Builder) NegativeDot(a, v *Node) *Node {
	s := rowsOf(a.Shape(), v.Shape())
	shape, samples := a.Shape(), v.Shape()
	o := (&operator{name: "negativedot", out: tensor.Shape{s.rows}}).both(negativeDotRun[float32](b.Pool, s), negativeDotRun[float64](b.Pool, s))
	o.diff = func(in []*Node, _, g *Node) []*Node {
		da := (&operator{name: "negativedotrows", out: shape}).both(negativeRowsRun(b.Pool, s, negative32), negativeRowsRun(b.Pool, s, negative64))
		dv := (&operator{name: "negativedotsum", out: samples}).both(negativeSumRun[float32](b.Pool, s), negativeSumRun[float64](b.Pool, s))
		return []*Node{b.apply(da, in[0], in[1], g), b.apply(dv, in[0], g)}
	}
	return b.apply(o, a, v)
}

func negativeDotRun[T Float](p *Pool, s rowsShape) func([]T, [][]T) {
	return func(out []T, in [][]T) {
		p.each(s.rows, max(1, ElementsEach/s.width), func(_ *kernel.Work, _, from, to int) {
			for r := from; r < to; r++ {
				i := r / s.each
				a, v := in[0][r*s.width:(r+1)*s.width], in[1][i*s.width:(i+1)*s.width]
				v = v[:len(a)]
				var s0, s1 T
				j := 0
				for ; j+2 <= len(a); j += 2 {
					s0 += min(a[j], 0) * v[j]
					s1 += min(a[j+1], 0) * v[j+1]
				}
				if j < len(a) {
					s0 += min(a[j], 0) * v[j]
				}
				out[r] = s0 + s1
			}
		})
	}
}

func negativeRowsRun[T Float](p *Pool, s rowsShape, scaled func(y, a, v []T, g T)) func([]T, [][]T) {
	return func(out []T, in [][]T) {
		p.each(s.rows, max(1, ElementsEach/s.width), func(_ *kernel.Work, _, from, to int) {
			for r := from; r < to; r++ {
				i := r / s.each
				scaled(out[r*s.width:(r+1)*s.width], in[0][r*s.width:(r+1)*s.width], in[1][i*s.width:(i+1)*s.width], in[2][r])
			}
		})
	}
}

// negative32 is g v where a is below 0 (or -0), else 0.
func negative32(y, a, v []float32, g float32) {
	a, v = a[:len(y)], v[:len(y)]
	for j := range y {
		negative := uint32(int32(math.Float32bits(a[j])) >> 31)
		y[j] = math.Float32frombits(math.Float32bits(g*v[j]) & negative)
	}
}

func negative64(y, a, v []float64, g float64) {
	for j := range y {
		y[j] = 0
		if a[j] < 0 {
			y[j] = g * v[j]
		}
	}
}

func negativeSumRun[T Float](p *Pool, s rowsShape) func([]T, [][]T) {
	return func(out []T, in [][]T) {
		clear(out)
		s.split(p, func(i, r, from, to int) {
			y, a, g := out[i*s.width+from:i*s.width+to], in[0][r*s.width+from:r*s.width+to], in[1][r]
			a = a[:len(y)]
			for j := range y {
				y[j] += g * min(a[j], 0)
			}
		})
	}
}

// Margins gives, for labels [N,K] one-hot, the rows e_label - e_k of every class k: [N*K, K]. The label's own row is 0.
func (b *Builder) Margins(labels *Node) *Node {
	n, k := matrix(labels, false)
	o := (&operator{name: "margins", out: tensor.Shape{n * k, k}, wrt: []bool{false}}).both(marginsRun[float32](k), marginsRun[float64](k))
	o.diff = func([]*Node, *Node, *Node) []*Node { return []*Node{nil} }
	return b.apply(o, labels)
}

func marginsRun[T Float](k int) func([]T, [][]T) {
	return func(out []T, in [][]T) {
		for i := 0; i < len(in[0]); i += k {
			for c := range k {
				row := out[(i+c)*k : (i+c+1)*k]
				copy(row, in[0][i:i+k])
				row[c]--
			}
		}
	}
}

package tape

import (
	"math"

	"gorgonia.org/tensor"

	"github.com/shallow-waters/shoal/internal/kernel"
)

// What rows of coefficients need that go down through lines of one slope, in as few passes over the rows as there can be: rows are many.

// RowScale is every row of a [R, ...] times its sample's v [N, ...], number by number. Its gradient cannot be differentiated again.
func (b *Builder) RowScale(a, v *Node) *Node {
	s := rowsOf(a.Shape(), v.Shape())
	shape, samples := a.Shape(), v.Shape()
	o := (&operator{name: "rowscale", out: shape}).both(rowScaleRun[float32](b.Pool, s), rowScaleRun[float64](b.Pool, s))
	o.diff = func(in []*Node, _, g *Node) []*Node {
		dv := (&operator{name: "rowproducts", out: samples}).both(rowProductsRun[float32](b.Pool, s), rowProductsRun[float64](b.Pool, s))
		return []*Node{b.RowScale(g, in[1]), b.apply(dv, in[0], g)}
	}
	return b.apply(o, a, v)
}

func rowScaleRun[T Float](p *Pool, s rowsShape) func([]T, [][]T) {
	return func(out []T, in [][]T) {
		s.rowByRow(p, func(r, i int) { mulRun(out[r:r+s.width], in[0][r:r+s.width], in[1][i:i+s.width]) })
	}
}

// rowByRow calls f with where every row begins, and where its sample's numbers do.
func (s rowsShape) rowByRow(p *Pool, f func(row, sample int)) {
	p.each(s.rows, max(1, ElementsEach/s.width), func(_ *kernel.Work, _, from, to int) {
		for r := from; r < to; r++ {
			f(r*s.width, r/s.each*s.width)
		}
	})
}

// rowProductsRun adds up the products of two rows over each sample's rows.
func rowProductsRun[T Float](p *Pool, s rowsShape) func([]T, [][]T) {
	return func(out []T, in [][]T) {
		clear(out)
		s.split(p, func(i, r, from, to int) {
			y, a, g := out[i*s.width+from:i*s.width+to], in[0][r*s.width+from:r*s.width+to], in[1][r*s.width+from:r*s.width+to]
			a, g = a[:len(y)], g[:len(y)]
			for j := range y {
				y[j] += a[j] * g[j]
			}
		})
	}
}

// RowEnds are the least and the most [R,2] that rows a [R, ...] add to a sum where each number of their sample lies between 0 and v [N, ...], v >=
// 0: the products of v with the coefficients below 0, and with the others. Its gradient cannot be differentiated again.
func (b *Builder) RowEnds(a, v *Node) *Node {
	s := rowsOf(a.Shape(), v.Shape())
	shape, samples := a.Shape(), v.Shape()
	o := (&operator{name: "rowends", out: tensor.Shape{s.rows, 2}}).both(rowEndsRun(b.Pool, s, ends32), rowEndsRun(b.Pool, s, ends64))
	o.diff = func(in []*Node, _, g *Node) []*Node {
		da := (&operator{name: "rowendsrows", out: shape}).both(endsRowsRun(b.Pool, s, bySign32), endsRowsRun(b.Pool, s, bySign64))
		dv := (&operator{name: "rowendssum", out: samples}).both(endsSumRun(b.Pool, s, addBySign32), endsSumRun(b.Pool, s, addBySign64))
		return []*Node{b.apply(da, in[0], in[1], g), b.apply(dv, in[0], g)}
	}
	return b.apply(o, a, v)
}

func rowEndsRun[T Float](p *Pool, s rowsShape, ends func(a, v []T) (least, most T)) func([]T, [][]T) {
	return func(out []T, in [][]T) {
		s.rowByRow(p, func(r, i int) {
			out[2*r/s.width], out[2*r/s.width+1] = ends(in[0][r:r+s.width], in[1][i:i+s.width])
		})
	}
}

// ends32 takes the coefficients apart by their sign bits, as all here do: a branch on random signs would cost more than all the rest.
func ends32(a, v []float32) (least, most float32) {
	v = v[:len(a)]
	var least1, most1 float32
	j := 0
	for ; j+2 <= len(a); j += 2 {
		x, y := math.Float32bits(a[j]), math.Float32bits(a[j+1])
		p, q := uint32(int32(x)>>31), uint32(int32(y)>>31)
		least += math.Float32frombits(x&p) * v[j]
		most += math.Float32frombits(x&^p) * v[j]
		least1 += math.Float32frombits(y&q) * v[j+1]
		most1 += math.Float32frombits(y&^q) * v[j+1]
	}
	if j < len(a) {
		least += min(a[j], 0) * v[j]
		most += max(a[j], 0) * v[j]
	}
	return least + least1, most + most1
}

func ends64(a, v []float64) (least, most float64) {
	for j, x := range a {
		least += min(x, 0) * v[j]
		most += max(x, 0) * v[j]
	}
	return least, most
}

// endsRowsRun is the gradient in the rows: v times the gradient of the end that a coefficient belongs to.
func endsRowsRun[T Float](p *Pool, s rowsShape, bySign func(y, a, v []T, least, most T)) func([]T, [][]T) {
	return func(out []T, in [][]T) {
		s.rowByRow(p, func(r, i int) {
			k := 2 * r / s.width
			bySign(out[r:r+s.width], in[0][r:r+s.width], in[1][i:i+s.width], in[2][k], in[2][k+1])
		})
	}
}

func bySign32(y, a, v []float32, least, most float32) {
	a, v = a[:len(y)], v[:len(y)]
	m := math.Float32bits(most)
	apart := m ^ math.Float32bits(least)
	for j := range y {
		y[j] = v[j] * math.Float32frombits(m^apart&uint32(int32(math.Float32bits(a[j]))>>31))
	}
}

func bySign64(y, a, v []float64, least, most float64) {
	for j, x := range a {
		y[j] = v[j] * most
		if math.Signbit(x) {
			y[j] = v[j] * least
		}
	}
}

// endsSumRun is the gradient in v.
func endsSumRun[T Float](p *Pool, s rowsShape, addBySign func(y, a []T, least, most T)) func([]T, [][]T) {
	return func(out []T, in [][]T) {
		clear(out)
		s.split(p, func(i, r, from, to int) {
			addBySign(out[i*s.width+from:i*s.width+to], in[0][r*s.width+from:r*s.width+to], in[1][2*r], in[1][2*r+1])
		})
	}
}

func addBySign32(y, a []float32, least, most float32) {
	a = a[:len(y)]
	m := math.Float32bits(most)
	apart := m ^ math.Float32bits(least)
	for j := range y {
		y[j] += a[j] * math.Float32frombits(m^apart&uint32(int32(math.Float32bits(a[j]))>>31))
	}
}

func addBySign64(y, a []float64, least, most float64) {
	for j, x := range a {
		if math.Signbit(x) {
			y[j] += x * least
		} else {
			y[j] += x * most
		}
	}
}

// AbsDot is the product of the absolute values of every row of a [R, ...] with its sample's v [N, ...]: [R]. Its gradient in a cannot be
// differentiated again.
func (b *Builder) AbsDot(a, v *Node) *Node {
	s := rowsOf(a.Shape(), v.Shape())
	shape, samples := a.Shape(), v.Shape()
	o := (&operator{name: "absdot", out: tensor.Shape{s.rows}}).both(absDotRun(b.Pool, s, absDot32), absDotRun(b.Pool, s, absDot64))
	o.diff = func(in []*Node, _, g *Node) []*Node {
		da := (&operator{name: "absdotrows", out: shape}).both(absRowsRun(b.Pool, s, signed32), absRowsRun(b.Pool, s, signed64))
		return []*Node{b.apply(da, in[0], in[1], g), b.RowSum(g, b.Abs(in[0]), samples...)}
	}
	return b.apply(o, a, v)
}

func absDotRun[T Float](p *Pool, s rowsShape, dot func(a, v []T) T) func([]T, [][]T) {
	return func(out []T, in [][]T) {
		s.rowByRow(p, func(r, i int) { out[r/s.width] = dot(in[0][r:r+s.width], in[1][i:i+s.width]) })
	}
}

func absDot32(a, v []float32) float32 {
	v = v[:len(a)]
	var s [4]float32
	j := 0
	for ; j+4 <= len(a); j += 4 {
		x, y := a[j:j+4], v[j:j+4]
		s[0] += abs32(x[0]) * y[0]
		s[1] += abs32(x[1]) * y[1]
		s[2] += abs32(x[2]) * y[2]
		s[3] += abs32(x[3]) * y[3]
	}
	for ; j < len(a); j++ {
		s[0] += abs32(a[j]) * v[j]
	}
	return s[0] + s[1] + (s[2] + s[3])
}

func abs32(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }

func absDot64(a, v []float64) (s float64) {
	for j, x := range a {
		s += math.Abs(x) * v[j]
	}
	return s
}

// absRowsRun is the gradient in the rows: g v with the sign of the coefficient, and 0 where that is 0.
func absRowsRun[T Float](p *Pool, s rowsShape, signed func(y, a, v []T, g T)) func([]T, [][]T) {
	return func(out []T, in [][]T) {
		s.rowByRow(p, func(r, i int) { signed(out[r:r+s.width], in[0][r:r+s.width], in[1][i:i+s.width], in[2][r/s.width]) })
	}
}

func signed32(y, a, v []float32, g float32) {
	a, v = a[:len(y)], v[:len(y)]
	for j := range y {
		x := math.Float32bits(a[j])
		size := x &^ (1 << 31)
		some := uint32(int32(-size) >> 31) // all ones but for 0
		y[j] = math.Float32frombits((math.Float32bits(g*v[j]) ^ (x & (1 << 31))) & some)
	}
}

func signed64(y, a, v []float64, g float64) {
	for j, x := range a {
		switch {
		case x > 0:
			y[j] = g * v[j]
		case x < 0:
			y[j] = -g * v[j]
		default:
			y[j] = 0
		}
	}
}

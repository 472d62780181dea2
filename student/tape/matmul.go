package tape

import (
	"fmt"

	"gorgonia.org/tensor"

	"github.com/shallow-waters/shoal/internal/kernel"
)

// matmulWork is the least number of multiply-adds in a part of a product.
const matmulWork = 1 << 15

// MatMul is op(x) op(y) of matrices, op transposing where transX or transY says so. Its gradients are products of the same kind.
func (b *Builder) MatMul(transX, transY bool, x, y *Node) *Node {
	m, k := matrix(x, transX)
	k2, n := matrix(y, transY)
	mustFit(k == k2, fmt.Sprintf("matmul(%t,%t) of", transX, transY), x, y)
	o := (&operator{name: fmt.Sprintf("matmul(%t,%t)", transX, transY), out: tensor.Shape{m, n}}).
		both(matmulRun[float32](b.Pool, transX, transY, m, n, k), matmulRun[float64](b.Pool, transX, transY, m, n, k))
	o.diff = func(in []*Node, _, g *Node) []*Node {
		x, y := in[0], in[1]
		var dx, dy *Node
		if transX {
			dx = b.MatMul(transY, true, y, g)
		} else {
			dx = b.MatMul(false, !transY, g, y)
		}
		if transY {
			dy = b.MatMul(true, transX, g, x)
		} else {
			dy = b.MatMul(!transX, false, x, g)
		}
		return []*Node{dx, dy}
	}
	return b.apply(o, x, y)
}

func matrix(n *Node, trans bool) (rows, cols int) {
	s := n.Shape()
	mustFit(len(s) == 2, "a matrix is needed, not", n)
	if trans {
		return s[1], s[0]
	}
	return s[0], s[1]
}

// matmulRun splits the result's rows: no sum is cut.
func matmulRun[T Float](p *Pool, transX, transY bool, m, n, k int) func([]T, [][]T) {
	ldx, ldy := k, n
	if transX {
		ldx = m
	}
	if transY {
		ldy = k
	}
	return func(out []T, in [][]T) {
		p.each(m, max(4, matmulWork/max(1, n*k)), func(w *kernel.Work, _, from, to int) {
			start := from * ldx
			if transX {
				start = from
			}
			kernel.Gemm(transX, transY, to-from, n, k, in[0][start:], ldx, in[1], ldy, out[from*n:], n, false, w)
		})
	}
}

// Dense is x W^T + v, cut off at 0 where relu says so: x [N,in], W [out,in], v [out].
func (b *Builder) Dense(x, w, v *Node, relu bool) *Node {
	n, in := matrix(x, false)
	out, in2 := matrix(w, false)
	mustFit(in == in2 && v.Shape().TotalSize() == out, "dense of", x, w, v)
	o := (&operator{name: fmt.Sprintf("dense(%t)", relu), out: tensor.Shape{n, out}}).
		both(denseRun[float32](b.Pool, n, in, out, relu), denseRun[float64](b.Pool, n, in, out, relu))
	o.diff = func(kids []*Node, y, g *Node) []*Node {
		if relu {
			g = b.Where(y, g)
		}
		return []*Node{b.MatMul(false, false, g, kids[1]), b.MatMul(true, false, g, kids[0]), b.SumRows(g)}
	}
	return b.apply(o, x, w, v)
}

func denseRun[T Float](p *Pool, n, in, out int, relu bool) func([]T, [][]T) {
	f := kernel.NewFilter[T](out, in, []int{0}, nil)
	bias := make([]T, f.Padded())
	lo := -kernel.Inf[T]()
	if relu {
		lo = 0
	}
	return func(y []T, x [][]T) {
		packed(p, f, x[1])
		copy(bias, x[2])
		p.each(n, 4, func(w *kernel.Work, _, from, to int) {
			f.Slide(&kernel.Windows[T]{X: x[0], From: from * in, Rows: 1, Cols: to - from, Step: in,
				Y: y, To: from * out, YStep: out, Bias: bias, Lo: lo, Hi: kernel.Inf[T]()}, w)
		})
	}
}

// packed puts new weights [M][segments*run] into a filter.
func packed[T Float](p *Pool, f *kernel.Filter[T], w []T) {
	p.each(f.Blocks(), 1, func(_ *kernel.Work, _, from, to int) { f.Pack(w, from, to) })
}

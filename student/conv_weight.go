package student

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/shallow-waters/shoal/internal/kernel"
)

// ConvWeight is the transpose of Conv in W: from x [N,H,W,C] and dy [N,oh,ow,out] the weights' gradient [out,kh,kw,C].
func (b *Builder) ConvWeight(x, dy *gorgonia.Node, kh, kw int, g Geometry) *gorgonia.Node {
	s := x.Shape()
	k := newConv(s, tensor.Shape{dy.Shape()[3], kh, kw, s[3]}, g)
	mustFit(dy.Shape().Eq(k.out), "weights of a convolution from", x, dy)
	o := (&operator{name: "convweight", out: k.weight}).both(convWeightRun[float32](b.Pool, k), convWeightRun[float64](b.Pool, k))
	o.diff = func(in []*gorgonia.Node, _, dw *gorgonia.Node) []*gorgonia.Node {
		return []*gorgonia.Node{b.ConvInput(in[1], dw, k.h, k.w, g), b.Conv(in[0], dw, g)}
	}
	return b.apply(o, x, dy)
}

// convWeightRun multiplies dy, transposed, with the windows of x written side by side. Each part of the batch has its own sum, and these are
// added in order.
func convWeightRun[T kernel.Float](p *Pool, k conv) func([]T, [][]T) {
	area, patch := k.oh*k.ow, k.patch()
	group := max(1, min(columnsMost/(area*patch), k.n)) // images whose windows stand side by side at once
	// as many parts as keep the partial sums small
	most := max(2, partialMost/(k.m*patch))
	least := max(1, max(k.m, patch)/area, (k.n+most-1)/most)
	n := count(k.n, least)
	var columns, partial scratch[T]
	return func(out []T, in [][]T) {
		cols, sums := columns.get(n*group*area*patch), partial.get(n*k.m*patch)
		p.each(k.n, least, func(w *kernel.Work, part, from, to int) {
			c := cols[part*group*area*patch : (part+1)*group*area*patch]
			sum := sums[part*k.m*patch : (part+1)*k.m*patch]
			for i := from; i < to; i += group {
				some := min(group, to-i)
				for j := range some {
					columnsOf(k, c[j*area*patch:(j+1)*area*patch], in[0][(i+j)*k.h*k.w*k.c:])
				}
				kernel.Gemm(true, false, k.m, patch, some*area, in[1][i*area*k.m:], k.m, c, patch, sum, patch, i > from, w)
			}
		})
		addParts(p, out, sums, n)
	}
}

// partialMost limits the partial sums to 16 MiB.
const partialMost = 1 << 22

// columnsMost keeps a group's windows in the second cache.
const columnsMost = 1 << 17

// columnsOf writes the window of every output of one image as a row [kh*kw*c]; what lies in the padding is 0.
func columnsOf[T kernel.Float](k conv, dst, x []T) {
	run := k.kw * k.c
	line := k.w * k.c
	for oy := range k.oh {
		for ox := range k.ow {
			left := ox*k.Stride[1] - k.Pad[1]
			skip, end := max(0, -left), min(k.kw, k.w-left)
			for ky := range k.kh {
				y := oy*k.Stride[0] - k.Pad[0] + ky
				d := dst[:run]
				dst = dst[run:]
				if y < 0 || y >= k.h || end <= skip {
					clear(d)
					continue
				}
				src := x[y*line+(left+skip)*k.c : y*line+(left+end)*k.c]
				if len(src) == 4 && run == 4 {
					d[0], d[1], d[2], d[3] = src[0], src[1], src[2], src[3]
					continue
				}
				clear(d[:skip*k.c])
				copy(d[skip*k.c:], src)
				clear(d[end*k.c:])
			}
		}
	}
}

package tape

import (
	"gorgonia.org/tensor"

	"github.com/shallow-waters/shoal/internal/kernel"
)

// ConvWeight is the transpose of Conv in W: from x [N,H,W,C] and dy [N,oh,ow,out] the weights' gradient [out,kh,kw,C].
func (b *Builder) ConvWeight(x, dy *Node, kh, kw int, g Geometry) *Node {
	s := x.Shape()
	k := newConv(s, tensor.Shape{dy.Shape()[3], kh, kw, s[3]}, g)
	mustFit(dy.Shape().Eq(k.out), "weights of a convolution from", x, dy)
	o := (&operator{name: "convweight", out: k.weight}).both(convWeightRun[float32](b.Pool, k), convWeightRun[float64](b.Pool, k))
	o.diff = func(in []*Node, _, dw *Node) []*Node {
		return []*Node{b.ConvInput(in[1], dw, k.h, k.w, g), b.Conv(in[0], dw, g)}
	}
	return b.apply(o, x, dy)
}

// convWeightRun multiplies dy, transposed, with the windows of x written side by side. Each part of the batch has its own sum, and these are
// added in order.
func convWeightRun[T Float](p *Pool, k conv) func([]T, [][]T) {
	area, patch := k.oh*k.ow, k.patch()
	group := max(1, min(columnsMost/(area*patch), k.n)) // images whose windows stand side by side at once
	// as many Parts as keep the partial sums small
	most := max(2, partialMost/(k.m*patch))
	least := max(1, max(k.m, patch)/area, (k.n+most-1)/most)
	n := count(k.n, least)
	hp, wp := k.h+k.Pad[0]+k.Pad[2], k.w+k.Pad[1]+k.Pad[3]
	room := group*area*(patch+k.m) + hp*wp*k.c // windows, dy transposed, and one padded image
	var columns, partial scratch[T]
	return func(out []T, in [][]T) {
		rooms, sums := columns.get(n*room), partial.get(n*k.m*patch)
		p.each(k.n, least, func(w *kernel.Work, part, from, to int) {
			own := rooms[part*room : (part+1)*room]
			cols, own := own[:group*area*patch], own[group*area*patch:]
			turned, image := own[:group*area*k.m], own[group*area*k.m:]
			sum := sums[part*k.m*patch : (part+1)*k.m*patch]
			for i := from; i < to; i += group {
				some := min(group, to-i)
				for j := range some {
					columnsOf(k, cols[j*area*patch:(j+1)*area*patch], in[0][(i+j)*k.h*k.w*k.c:], image)
				}
				rows := some * area
				kernel.Turn(rows, k.m, in[1][i*area*k.m:(i*area+rows)*k.m], turned, rows)
				kernel.Gemm(false, false, k.m, patch, rows, turned, rows, cols, patch, sum, patch, i > from, w)
			}
		})
		addParts(p, out, sums, n)
	}
}

// partialMost limits the partial sums to 16 MiB.
const partialMost = 1 << 22

// columnsMost keeps a group's windows in the second cache.
const columnsMost = 1 << 17

// columnsOf writes the window of every output of one image as a row [kh*kw*c]. image has room for the padded image; its edge is 0 already.
func columnsOf[T Float](k conv, dst, x, image []T) {
	hp, wp := k.h+k.Pad[0]+k.Pad[2], k.w+k.Pad[1]+k.Pad[3]
	if hp != k.h || wp != k.w {
		for r := range k.h {
			copy(image[((r+k.Pad[0])*wp+k.Pad[1])*k.c:][:k.w*k.c], x[r*k.w*k.c:])
		}
		x = image
	}
	run, patch := k.kw*k.c, k.patch()
	for oy := range k.oh {
		for ky := range k.kh {
			kernel.Runs(k.ow, run, x[(oy*k.Stride[0]+ky)*wp*k.c:], k.Stride[1]*k.c, dst[oy*k.ow*patch+ky*run:], patch)
		}
	}
}

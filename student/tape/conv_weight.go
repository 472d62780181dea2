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

// convWeightRun multiplies dy, transposed, with the windows of x. Each part of the batch has its own sum, and these are added in order.
func convWeightRun[T Float](p *Pool, k conv) func([]T, [][]T) {
	multiply, group, room := convWeightByColumns[T](k)
	if k.Stride == [2]int{1, 1} && k.kw*k.c >= overlapLeast {
		multiply, group, room = convWeightByRows[T](k)
	}
	patch := k.patch()
	// as many Parts as keep the partial sums small
	most := max(2, partialMost/(k.m*patch))
	least := max(1, max(k.m, patch)/(k.oh*k.ow), (k.n+most-1)/most)
	n := count(k.n, least)
	var rooms, partial scratch[T]
	return func(out []T, in [][]T) {
		all, sums := rooms.get(n*room), partial.get(n*k.m*patch)
		p.each(k.n, least, func(w *kernel.Work, part, from, to int) {
			own, sum := all[part*room:(part+1)*room], sums[part*k.m*patch:(part+1)*k.m*patch]
			for i := from; i < to; i += group {
				multiply(sum, in[0], in[1], i, min(group, to-i), own, i > from, w)
			}
		})
		addParts(p, out, sums, n)
	}
}

// convWeightOf adds to sum [out,kh,kw,C], or with acc false writes there, what images i to i+some give. own is its memory, which nobody else writes.
type convWeightOf[T Float] func(sum, x, dy []T, i, some int, own []T, acc bool, w *kernel.Work)

// convWeightByColumns writes windows side by side, a group of images at a time.
func convWeightByColumns[T Float](k conv) (f convWeightOf[T], group, room int) {
	area, patch := k.oh*k.ow, k.patch()
	group = max(1, min(columnsMost/(area*patch), k.n)) // images whose windows stand side by side at once
	hp, wp := k.h+k.Pad[0]+k.Pad[2], k.w+k.Pad[1]+k.Pad[3]
	room = group*area*(patch+k.m) + hp*wp*k.c // windows, dy transposed, and one padded image
	return func(sum, x, dy []T, i, some int, own []T, acc bool, w *kernel.Work) {
		cols, own := own[:group*area*patch], own[group*area*patch:]
		turned, image := own[:group*area*k.m], own[group*area*k.m:]
		for j := range some {
			columnsOf(k, cols[j*area*patch:(j+1)*area*patch], x[(i+j)*k.h*k.w*k.c:], image)
		}
		rows := some * area
		kernel.Turn(rows, k.m, dy[i*area*k.m:(i*area+rows)*k.m], turned, rows)
		kernel.Gemm(false, false, k.m, patch, rows, turned, rows, cols, patch, sum, patch, acc, w)
	}, group, room
}

// overlapLeast is how many inputs a row of a kernel has at least where windows are read as they lie: a vector or two.
const overlapLeast = 32

// convWeightByRows is for a stride of 1. There the inputs that a row of the kernel reads in one window after another are runs of kw*C numbers of the
// padded image, each C on from the one before: a matrix whose rows overlap, which need not be written out. Between two rows of outputs lie the
// windows that would reach over the image's edge; dy is 0 there.
func convWeightByRows[T Float](k conv) (f convWeightOf[T], group, room int) {
	hp, wp := k.h+k.Pad[0]+k.Pad[2], k.w+k.Pad[1]+k.Pad[3]
	places := (k.oh-1)*wp + k.ow
	padded := hp != k.h || wp != k.w
	run, patch := k.kw*k.c, k.patch()
	return func(sum, x, dy []T, i, _ int, own []T, acc bool, w *kernel.Work) {
		turned, image := own[:k.m*places], x[i*k.h*k.w*k.c:(i+1)*k.h*k.w*k.c]
		if padded {
			image = own[k.m*places:]
			padInto(k, image, x[i*k.h*k.w*k.c:])
		}
		for oy := range k.oh {
			kernel.Turn(k.ow, k.m, dy[(i*k.oh+oy)*k.ow*k.m:][:k.ow*k.m], turned[oy*wp:], places)
		}
		for ky := range k.kh {
			kernel.Gemm(false, false, k.m, run, places, turned, places, image[ky*wp*k.c:], k.c, sum[ky*run:], patch, acc, w)
		}
	}, 1, k.m*places + b2i(padded)*hp*wp*k.c
}

// partialMost limits the partial sums to 16 MiB.
const partialMost = 1 << 22

// columnsMost keeps a group's windows in the second cache.
const columnsMost = 1 << 17

// columnsOf writes the window of every output of one image as a row [kh*kw*c]. image has room for the padded image; its edge is 0 already.
func columnsOf[T Float](k conv, dst, x, image []T) {
	hp, wp := k.h+k.Pad[0]+k.Pad[2], k.w+k.Pad[1]+k.Pad[3]
	if hp != k.h || wp != k.w {
		padInto(k, image, x)
		x = image
	}
	run, patch := k.kw*k.c, k.patch()
	for oy := range k.oh {
		for ky := range k.kh {
			kernel.Runs(k.ow, run, x[(oy*k.Stride[0]+ky)*wp*k.c:], k.Stride[1]*k.c, dst[oy*k.ow*patch+ky*run:], patch)
		}
	}
}

// padInto copies one image into its place in a padded one, whose edge is 0 already.
func padInto[T Float](k conv, image, x []T) {
	wp := k.w + k.Pad[1] + k.Pad[3]
	for r := range k.h {
		copy(image[((r+k.Pad[0])*wp+k.Pad[1])*k.c:][:k.w*k.c], x[r*k.w*k.c:])
	}
}

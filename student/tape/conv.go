package tape

import (
	"fmt"

	"gorgonia.org/tensor"

	"github.com/shallow-waters/shoal/internal/kernel"
)

// Geometry is what a convolution or a pooling does beside its sizes: steps and padding in rows and columns.
type Geometry struct {
	Stride [2]int
	// Pad is top, left, bottom, right.
	Pad [4]int
}

// Convolutions are written in three forms, x*W, its transpose in x and its transpose in W; a derivative of one is one of the others:
//
//	y  = Conv(x, W)          dx = ConvInput(dy, W)     dW = ConvWeight(x, dy)
//	x' = ConvInput(dy, W)    d(dy) = Conv(dx', W)      dW = ConvWeight(dx', dy)
//	W' = ConvWeight(x, dy)   dx = ConvInput(dy, dW')   d(dy) = Conv(x, dW')
type conv struct {
	Geometry
	n, h, w, c     int // of x
	m, kh, kw      int // of W [m, kh, kw, c]
	oh, ow         int // of y [n, oh, ow, m]
	x, weight, out tensor.Shape
}

// newConv works out the sizes; it panics on what does not fit.
func newConv(x, w tensor.Shape, g Geometry) conv {
	k := conv{Geometry: g, x: x, weight: w}
	if len(x) != 4 || len(w) != 4 || x[3] != w[3] {
		panic(fmt.Sprintf("tape: convolution of %v with %v", x, w))
	}
	k.n, k.h, k.w, k.c = x[0], x[1], x[2], x[3]
	k.m, k.kh, k.kw = w[0], w[1], w[2]
	k.oh = (k.h+g.Pad[0]+g.Pad[2]-k.kh)/g.Stride[0] + 1
	k.ow = (k.w+g.Pad[1]+g.Pad[3]-k.kw)/g.Stride[1] + 1
	if k.oh < 1 || k.ow < 1 || k.h+g.Pad[0]+g.Pad[2] < k.kh || k.w+g.Pad[1]+g.Pad[3] < k.kw {
		panic(fmt.Sprintf("tape: a kernel of %dx%d over %dx%d", k.kh, k.kw, k.h, k.w))
	}
	k.out = tensor.Shape{k.n, k.oh, k.ow, k.m}
	return k
}

// patch is the number of inputs of one output.
func (k conv) patch() int { return k.kh * k.kw * k.c }

// Conv is the convolution of x [N,H,W,C] with W [out,kh,kw,C].
func (b *Builder) Conv(x, w *Node, g Geometry) *Node {
	k := newConv(x.Shape(), w.Shape(), g)
	o := (&operator{name: "conv", out: k.out}).both(convRun[float32](b.Pool, k, false, false), convRun[float64](b.Pool, k, false, false))
	o.diff = func(in []*Node, _, dy *Node) []*Node {
		return []*Node{b.ConvInput(dy, in[1], k.h, k.w, g), b.ConvWeight(in[0], dy, k.kh, k.kw, g)}
	}
	return b.apply(o, x, w)
}

// ConvBias is Conv plus a bias v [out] for each channel, cut off at 0 where relu says so.
func (b *Builder) ConvBias(x, w, v *Node, g Geometry, relu bool) *Node {
	k := newConv(x.Shape(), w.Shape(), g)
	o := (&operator{name: fmt.Sprintf("convbias(%t)", relu), out: k.out}).both(convRun[float32](b.Pool, k, true, relu),
		convRun[float64](b.Pool, k, true, relu))
	o.diff = func(in []*Node, y, dy *Node) []*Node {
		if relu {
			dy = b.Where(y, dy)
		}
		return []*Node{b.ConvInput(dy, in[1], k.h, k.w, g), b.ConvWeight(in[0], dy, k.kh, k.kw, g), b.SumRows(dy)}
	}
	return b.apply(o, x, w, v)
}

// convRun slides packed weights over the images, padded into a copy where they must be.
func convRun[T Float](p *Pool, k conv, bias, relu bool) func([]T, [][]T) {
	hp, wp := k.h+k.Pad[0]+k.Pad[2], k.w+k.Pad[1]+k.Pad[3]
	padded := hp != k.h || wp != k.w
	offsets := make([]int, k.kh)
	for i := range offsets {
		offsets[i] = i * wp * k.c
	}
	f := kernel.NewFilter[T](k.m, k.kw*k.c, offsets, nil)
	v := make([]T, f.Padded())
	lo := -kernel.Inf[T]()
	if relu {
		lo = 0
	}
	var room scratch[T]
	return func(y []T, in [][]T) {
		packed(p, f, in[1])
		if bias {
			copy(v, in[2])
		}
		images := room.get(Parts * b2i(padded) * hp * wp * k.c)
		p.each(k.n, 1, func(w *kernel.Work, part, from, to int) {
			for i := from; i < to; i++ {
				x, at := in[0], i*k.h*k.w*k.c
				if padded {
					x = images[part*hp*wp*k.c : (part+1)*hp*wp*k.c]
					for r := range k.h {
						copy(x[((r+k.Pad[0])*wp+k.Pad[1])*k.c:][:k.w*k.c], in[0][at+r*k.w*k.c:])
					}
					at = 0
				}
				f.Slide(&kernel.Windows[T]{X: x, From: at, Rows: k.oh, Cols: k.ow, RowStep: k.Stride[0] * wp * k.c, Step: k.Stride[1] * k.c,
					Y: y, To: i * k.oh * k.ow * k.m, YRowStep: k.ow * k.m, YStep: k.m, Bias: v, Lo: lo, Hi: kernel.Inf[T]()}, w)
			}
		})
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

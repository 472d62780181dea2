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

// convRun slides packed weights over the images.
func convRun[T Float](p *Pool, k conv, bias, relu bool) func([]T, [][]T) {
	c := newSlid[T](k, relu)
	var room scratch[T]
	return func(y []T, in [][]T) {
		packed(p, c.f, in[1])
		if bias {
			copy(c.bias, in[2])
		}
		images := room.get(Parts * c.room())
		size, area := k.h*k.w*k.c, k.oh*k.ow*k.m
		p.each(k.n, 1, func(w *kernel.Work, part, from, to int) {
			for i := from; i < to; i++ {
				c.image(y[i*area:(i+1)*area], in[0][i*size:(i+1)*size], images[part*c.room():(part+1)*c.room()], w)
			}
		})
	}
}

// slid is a convolution made ready: packed weights slide over an image, padded into a copy where it must be.
type slid[T Float] struct {
	conv
	f          *kernel.Filter[T]
	bias       []T // 0 at first
	tall, wide int // the padded image
	lo         T
}

func newSlid[T Float](k conv, relu bool) *slid[T] {
	c := &slid[T]{conv: k, tall: k.h + k.Pad[0] + k.Pad[2], wide: k.w + k.Pad[1] + k.Pad[3], lo: -kernel.Inf[T]()}
	offsets := make([]int, k.kh)
	for i := range offsets {
		offsets[i] = i * c.wide * k.c
	}
	c.f = kernel.NewFilter[T](k.m, k.kw*k.c, offsets, nil)
	c.bias = make([]T, c.f.Padded())
	if relu {
		c.lo = 0
	}
	return c
}

// room is how many numbers of its own an image needs: 0 at first, and its edge for ever.
func (c *slid[T]) room() int {
	return b2i(c.tall != c.h || c.wide != c.conv.w) * c.tall * c.wide * c.c
}

// image writes y [oh,ow,out] from x [h,w,C].
func (c *slid[T]) image(y, x, own []T, w *kernel.Work) {
	if c.room() > 0 {
		padInto(c.conv, own, x)
		x = own
	}
	c.f.Slide(&kernel.Windows[T]{X: x, Rows: c.oh, Cols: c.ow, RowStep: c.Stride[0] * c.wide * c.c, Step: c.Stride[1] * c.c,
		Y: y, YRowStep: c.ow * c.m, YStep: c.m, Bias: c.bias, Lo: c.lo, Hi: kernel.Inf[T]()}, w)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

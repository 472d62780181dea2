package tape

import (
	"fmt"
	"math"

	"gorgonia.org/tensor"

	"github.com/shallow-waters/shoal/internal/kernel"
)

// MaxPool takes the greatest of every window of x [N,H,W,C]; padding never wins. Its gradient goes to the first of equals, and cannot be
// differentiated again.
func (b *Builder) MaxPool(x *Node, window [2]int, g Geometry) *Node {
	k := pooled(x, window, g)
	o := (&operator{name: "maxpool", out: k.out}).both(maxPoolRun[float32](b.Pool, k), maxPoolRun[float64](b.Pool, k))
	o.diff = func(in []*Node, y, dy *Node) []*Node {
		d := (&operator{name: "maxpoolinput", out: k.x}).both(maxPoolInputRun[float32](b.Pool, k), maxPoolInputRun[float64](b.Pool, k))
		return one(b.apply(d, in[0], y, dy))
	}
	return b.apply(o, x)
}

// AvgPool takes the mean of every window of x [N,H,W,C], without padding.
func (b *Builder) AvgPool(x *Node, window [2]int, g Geometry) *Node {
	k := pooled(x, window, g)
	o := (&operator{name: "avgpool", out: k.out}).both(avgPoolRun[float32](b.Pool, k), avgPoolRun[float64](b.Pool, k))
	o.diff = func(_ []*Node, _, dy *Node) []*Node { return one(b.avgPoolInput(dy, k)) }
	return b.apply(o, x)
}

// AvgPoolInput is the transpose of AvgPool: from dy [N,oh,ow,C] the images' gradient [N,h,w,C].
func (b *Builder) AvgPoolInput(dy *Node, h, wide int, window [2]int, g Geometry) *Node {
	s := dy.Shape()
	mustFit(len(s) == 4, "images of a pooling from", dy)
	k := newConv(tensor.Shape{s[0], h, wide, s[3]}, tensor.Shape{s[3], window[0], window[1], s[3]}, g)
	mustFit(s.Eq(k.out), "images of a pooling from", dy)
	return b.avgPoolInput(dy, k)
}

func (b *Builder) avgPoolInput(dy *Node, k conv) *Node {
	o := (&operator{name: "avgpoolinput", out: k.x}).both(avgPoolInputRun[float32](b.Pool, k), avgPoolInputRun[float64](b.Pool, k))
	o.diff = func(_ []*Node, _, dx *Node) []*Node {
		return one(b.AvgPool(dx, [2]int{k.kh, k.kw}, k.Geometry))
	}
	return b.apply(o, dy)
}

// pooled is the geometry of a convolution with as many filters as channels.
func pooled(x *Node, window [2]int, g Geometry) conv {
	s := x.Shape()
	mustFit(len(s) == 4, fmt.Sprintf("pooling with windows %v of", window), x)
	return newConv(s, tensor.Shape{s[3], window[0], window[1], s[3]}, g)
}

// windows calls f with every output's place and the places of its window's inputs, of one image.
func (k conv) windows(image int, f func(out int, in []int)) {
	in := make([]int, 0, k.kh*k.kw)
	for oy := range k.oh {
		for ox := range k.ow {
			in = in[:0]
			for ky := range k.kh {
				for kx := range k.kw {
					y, x := oy*k.Stride[0]-k.Pad[0]+ky, ox*k.Stride[1]-k.Pad[1]+kx
					if y >= 0 && y < k.h && x >= 0 && x < k.w {
						in = append(in, ((image*k.h+y)*k.w+x)*k.c)
					}
				}
			}
			f(((image*k.oh+oy)*k.ow+ox)*k.c, in)
		}
	}
}

func maxPoolRun[T Float](p *Pool, k conv) func([]T, [][]T) {
	if k.Pad == [4]int{} {
		return maxPoolWhole[T](p, k)
	}
	return func(y []T, in [][]T) {
		x := in[0]
		p.each(k.n, 1, func(_ *kernel.Work, _, from, to int) {
			for i := from; i < to; i++ {
				k.windows(i, func(out int, in []int) {
					to := y[out : out+k.c]
					for c := range to {
						to[c] = T(math.Inf(-1))
					}
					for _, at := range in {
						for c, v := range x[at : at+k.c] {
							if !(v <= to[c]) { // NaN wins
								to[c] = v
							}
						}
					}
				})
			}
		})
	}
}

// maxPoolWhole is for windows that lie in the image, all of them: the kernel takes a row of outputs at once.
func maxPoolWhole[T Float](p *Pool, k conv) func([]T, [][]T) {
	offsets := make([]int, 0, k.kh*k.kw)
	for ky := range k.kh {
		for kx := range k.kw {
			offsets = append(offsets, (ky*k.w+kx)*k.c)
		}
	}
	return func(y []T, in [][]T) {
		p.each(k.n, 1, func(w *kernel.Work, _, from, to int) {
			for i := from; i < to; i++ {
				for oy := range k.oh {
					t := kernel.Taps[T]{X: in[0], From: (i*k.h + oy*k.Stride[0]) * k.w * k.c, N: k.ow, Step: k.Stride[1] * k.c, Off: offsets, C: k.c,
						Y: y, To: (i*k.oh + oy) * k.ow * k.c, YStep: k.c, Lo: T(math.Inf(-1)), Hi: T(math.Inf(1))}
					t.Max(w)
				}
			}
		})
	}
}

func maxPoolInputRun[T Float](p *Pool, k conv) func([]T, [][]T) {
	return func(dx []T, in [][]T) {
		x, y, dy := in[0], in[1], in[2]
		p.each(k.n, 1, func(_ *kernel.Work, _, from, to int) {
			clear(dx[from*k.h*k.w*k.c : to*k.h*k.w*k.c])
			left := make([]T, k.c) // what is still to be given away: 0 once an equal was found
			for i := from; i < to; i++ {
				k.windows(i, func(out int, in []int) {
					copy(left, dy[out:out+k.c])
					top := y[out : out+k.c]
					for _, at := range in {
						giveAway(dx[at:at+k.c], x[at:at+k.c], top, left)
					}
				})
			}
		})
	}
}

// giveAway adds what is left to dx where x is the window's greatest, without a branch that data could mislead.
func giveAway[T Float](dx, x, top, left []T) {
	x, top, left = x[:len(dx)], top[:len(dx)], left[:len(dx)]
	for c := range dx {
		l := left[c]
		pair := [2]T{0, l}
		e := 0
		if x[c] == top[c] {
			e = 1
		}
		dx[c] += pair[e]
		left[c] = pair[1-e]
	}
}

func avgPoolRun[T Float](p *Pool, k conv) func([]T, [][]T) {
	return func(y []T, in [][]T) {
		x, share := in[0], 1/T(k.kh*k.kw)
		p.each(k.n, 1, func(_ *kernel.Work, _, from, to int) {
			for i := from; i < to; i++ {
				k.windows(i, func(out int, in []int) {
					to := y[out : out+k.c]
					clear(to)
					for _, at := range in {
						addRun(to, to, x[at:at+k.c])
					}
					for c := range to {
						to[c] *= share
					}
				})
			}
		})
	}
}

func avgPoolInputRun[T Float](p *Pool, k conv) func([]T, [][]T) {
	return func(dx []T, in [][]T) {
		dy, share := in[0], 1/T(k.kh*k.kw)
		p.each(k.n, 1, func(_ *kernel.Work, _, from, to int) {
			clear(dx[from*k.h*k.w*k.c : to*k.h*k.w*k.c])
			for i := from; i < to; i++ {
				k.windows(i, func(out int, in []int) {
					for _, at := range in {
						kernel.Axpy(share, dy[out:out+k.c], dx[at:at+k.c])
					}
				})
			}
		})
	}
}

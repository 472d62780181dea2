package tape

import (
	"gorgonia.org/tensor"

	"github.com/shallow-waters/shoal/internal/kernel"
)

// ConvInput is the transpose of Conv in x: from dy [N,oh,ow,out] and W [out,kh,kw,C] the images' gradient [N,h,w,C].
func (b *Builder) ConvInput(dy, w *Node, h, wide int, g Geometry) *Node {
	ws := w.Shape()
	k := newConv(tensor.Shape{dy.Shape()[0], h, wide, ws[3]}, ws, g)
	mustFit(dy.Shape().Eq(k.out), "images of a convolution from", dy, w)
	o := (&operator{name: "convinput", out: k.x}).both(convInputRun[float32](b.Pool, k), convInputRun[float64](b.Pool, k))
	o.diff = func(in []*Node, _, dx *Node) []*Node {
		return []*Node{b.Conv(dx, in[1], g), b.ConvWeight(dx, in[0], k.kh, k.kw, g)}
	}
	return b.apply(o, dy, w)
}

// phase is what the positions i of one axis with (i+pad) mod stride = r have in common: position i = first + t*stride for t < n reads
// dy[q0+t-taps+1 .. q0+t], with weights r + j*stride, the last weight first.
type phase struct{ r, first, n, q0, taps int }

// phasesOf splits an axis of `size` positions.
func phasesOf(size, kernel, stride, pad int) []phase {
	out := make([]phase, stride)
	for r := range out {
		first := ((r-pad)%stride + stride) % stride
		p := phase{r: r, first: first, q0: (first + pad - r) / stride}
		if size > first {
			p.n = (size - first + stride - 1) / stride
		}
		if kernel > r {
			p.taps = (kernel - r + stride - 1) / stride
		}
		out[r] = p
	}
	return out
}

// convInputRun slides turned weights over dy, padded, for each phase of the stride by itself: no product is added to memory more than once.
func convInputRun[T Float](p *Pool, k conv) func([]T, [][]T) {
	rows, cols := phasesOf(k.h, k.kh, k.Stride[0], k.Pad[0]), phasesOf(k.w, k.kw, k.Stride[1], k.Pad[1])
	// how far windows reach beyond dy
	reach := func(ps []phase, size int) (before, after int) {
		for _, p := range ps {
			if p.n > 0 && p.taps > 0 {
				before, after = max(before, p.taps-1-p.q0), max(after, p.q0+p.n-size)
			}
		}
		return before, after
	}
	top, bottom := reach(rows, k.oh)
	left, right := reach(cols, k.ow)
	hp, wp := k.oh+top+bottom, k.ow+left+right
	padded := hp != k.oh || wp != k.ow
	type job struct {
		row, col phase
		f        *kernel.Filter[T]
		w        []T
	}
	var jobs []job
	empty := false
	for _, r := range rows {
		for _, c := range cols {
			if r.taps*c.taps == 0 {
				empty = true
				continue
			}
			if r.n*c.n == 0 {
				continue
			}
			offsets := make([]int, r.taps)
			for i := range offsets {
				offsets[i] = i * wp * k.m
			}
			jobs = append(jobs, job{row: r, col: c, w: make([]T, k.c*r.taps*c.taps*k.m),
				f: kernel.NewFilter[T](k.c, c.taps*k.m, offsets, nil)})
		}
	}
	var room scratch[T]
	return func(out []T, in [][]T) {
		p.each(len(jobs), 1, func(_ *kernel.Work, _, from, to int) {
			for _, j := range jobs[from:to] {
				turn(k, j.row, j.col, j.w, in[1])
				j.f.Pack(j.w, 0, j.f.Blocks())
			}
		})
		images := room.get(Parts * b2i(padded) * hp * wp * k.m)
		p.each(k.n, 1, func(w *kernel.Work, part, from, to int) {
			for i := from; i < to; i++ {
				dy, at := in[0], i*k.oh*k.ow*k.m
				if padded {
					dy = images[part*hp*wp*k.m : (part+1)*hp*wp*k.m]
					for r := range k.oh {
						copy(dy[((r+top)*wp+left)*k.m:][:k.ow*k.m], in[0][at+r*k.ow*k.m:])
					}
					at = 0
				}
				to := i * k.h * k.w * k.c
				if empty { // strides longer than the kernel leave positions out
					clear(out[to : to+k.h*k.w*k.c])
				}
				for _, j := range jobs {
					r, c := j.row, j.col
					j.f.Slide(&kernel.Windows[T]{X: dy, From: at + ((r.q0-r.taps+1+top)*wp+c.q0-c.taps+1+left)*k.m,
						Rows: r.n, Cols: c.n, RowStep: wp * k.m, Step: k.m,
						Y: out, To: to + (r.first*k.w+c.first)*k.c, YRowStep: k.Stride[0] * k.w * k.c, YStep: k.Stride[1] * k.c,
						Lo: -kernel.Inf[T](), Hi: kernel.Inf[T]()}, w)
				}
			}
		})
	}
}

// turn writes the weights of one phase as [c][row taps][column taps][m], the last tap first.
func turn[T Float](k conv, r, c phase, dst, w []T) {
	for m := range k.m {
		for i := range r.taps {
			ky := r.r + (r.taps-1-i)*k.Stride[0]
			for j := range c.taps {
				kx := c.r + (c.taps-1-j)*k.Stride[1]
				src := w[((m*k.kh+ky)*k.kw+kx)*k.c:][:k.c]
				for ch, v := range src {
					dst[((ch*r.taps+i)*c.taps+j)*k.m+m] = v
				}
			}
		}
	}
}

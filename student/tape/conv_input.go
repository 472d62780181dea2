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

// convInputRun slides turned weights over dy, image by image.
func convInputRun[T Float](p *Pool, k conv) func([]T, [][]T) {
	c := newTurned[T](k)
	var room scratch[T]
	return func(out []T, in [][]T) {
		c.pack(p, in[1])
		images := room.get(Parts * c.room())
		size, area := k.h*k.w*k.c, k.oh*k.ow*k.m
		p.each(k.n, 1, func(w *kernel.Work, part, from, to int) {
			for i := from; i < to; i++ {
				c.image(out[i*size:(i+1)*size], in[0][i*area:(i+1)*area], images[part*c.room():(part+1)*c.room()], w)
			}
		})
	}
}

// turned is a transposed convolution made ready: turned weights slide over dy, padded, for each phase of the stride by itself, so that no product
// is added to memory more than once.
type turned[T Float] struct {
	conv
	jobs                  []turnedPhase[T]
	top, left, tall, wide int // dy with what windows reach beyond it
	padded, empty         bool
	// few channels leave most of a vector of them unused: then a product gives what each output sends to its window, and windows are added up.
	few  bool
	flat []T // their weights
}

// fewChannels are less than half of the narrowest vector.
const fewChannels = 3

type turnedPhase[T Float] struct {
	row, col phase
	f        *kernel.Filter[T]
	w        []T
}

func newTurned[T Float](k conv) *turned[T] {
	c := &turned[T]{conv: k, few: k.c <= fewChannels && k.kh*k.kw > 1}
	if c.few {
		return c
	}
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
	c.top, c.left, c.tall, c.wide = top, left, k.oh+top+bottom, k.ow+left+right
	c.padded = c.tall != k.oh || c.wide != k.ow
	for _, row := range rows {
		for _, col := range cols {
			if row.taps*col.taps == 0 {
				c.empty = true
				continue
			}
			if row.n*col.n == 0 {
				continue
			}
			offsets := make([]int, row.taps)
			for i := range offsets {
				offsets[i] = i * c.wide * k.m
			}
			c.jobs = append(c.jobs, turnedPhase[T]{row: row, col: col, w: make([]T, k.c*row.taps*col.taps*k.m),
				f: kernel.NewFilter[T](k.c, col.taps*k.m, offsets, nil)})
		}
	}
	return c
}

// pack takes the weights [out,kh,kw,C].
func (c *turned[T]) pack(p *Pool, w []T) {
	c.flat = w
	p.each(len(c.jobs), 1, func(_ *kernel.Work, _, from, to int) {
		for _, j := range c.jobs[from:to] {
			turn(c.conv, j.row, j.col, j.w, w)
			j.f.Pack(j.w, 0, j.f.Blocks())
		}
	})
}

// room is how many numbers of its own an image needs: 0 at first, and its edge for ever.
func (c *turned[T]) room() int {
	if c.few {
		return c.oh * c.ow * c.patch()
	}
	return b2i(c.padded) * c.tall * c.wide * c.m
}

// image writes all of out [h,w,C] from dy [oh,ow,out].
func (c *turned[T]) image(out, dy, own []T, w *kernel.Work) {
	if c.few {
		kernel.Gemm(false, false, c.oh*c.ow, c.patch(), c.m, dy, c.m, c.flat, c.patch(), own, c.patch(), false, w)
		c.gather(out, own)
		return
	}
	if c.padded {
		for r := range c.oh {
			copy(own[((r+c.top)*c.wide+c.left)*c.m:][:c.ow*c.m], dy[r*c.ow*c.m:])
		}
		dy = own
	}
	if c.empty { // strides longer than the kernel leave positions out
		clear(out)
	}
	for _, j := range c.jobs {
		row, col := j.row, j.col
		j.f.Slide(&kernel.Windows[T]{X: dy, From: ((row.q0-row.taps+1+c.top)*c.wide + col.q0 - col.taps + 1 + c.left) * c.m,
			Rows: row.n, Cols: col.n, RowStep: c.wide * c.m, Step: c.m,
			Y: out, To: (row.first*c.conv.w + col.first) * c.c, YRowStep: c.Stride[0] * c.conv.w * c.c, YStep: c.Stride[1] * c.c,
			Lo: -kernel.Inf[T](), Hi: kernel.Inf[T]()}, w)
	}
}

// gather adds up the windows [oh*ow,kh,kw,C] where they lie in the image.
func (c *turned[T]) gather(out, windows []T) {
	clear(out)
	wide, run := c.conv.w, c.kw*c.c
	for oy := range c.oh {
		for ky := range c.kh {
			y := oy*c.Stride[0] - c.Pad[0] + ky
			if y < 0 || y >= c.h {
				continue
			}
			row := out[y*wide*c.c : (y+1)*wide*c.c]
			for ox := range c.ow {
				left := (ox*c.Stride[1] - c.Pad[1]) * c.c
				from, to := max(0, left), min(len(row), left+run)
				if from >= to {
					continue
				}
				dst, src := row[from:to], windows[((oy*c.ow+ox)*c.kh+ky)*run+from-left:]
				src = src[:len(dst)]
				for i, v := range src {
					dst[i] += v
				}
			}
		}
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

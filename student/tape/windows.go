package tape

import (
	"fmt"

	"gorgonia.org/tensor"

	"github.com/shallow-waters/shoal/internal/kernel"
)

// View is a window that is put on images [H,W,C] at several places: at place (r, c), counted in Places rows and columns, it begins in row
// r*Stride[0]-Pad[0], column c*Stride[1]-Pad[1]. It may reach over the edge, or lie beyond it.
type View struct{ Window, Stride, Pad, Places [2]int }

// count is the number of places.
func (v View) count() int { return v.Places[0] * v.Places[1] }

// Windows copies what a window sees at every place, an image's places one after another: x [N,H,W,C] gives [N*places,h,w,C], 0 beyond the edge.
// It is closed with its transpose, WindowsSum.
func (b *Builder) Windows(x *Node, v View) *Node {
	shape := x.Shape()
	mustFit(len(shape) == 4, "windows of", x)
	out := tensor.Shape{shape[0] * v.count(), v.Window[0], v.Window[1], shape[3]}
	o := (&operator{name: fmt.Sprintf("windows(%v)", v), out: out}).both(windowsRun[float32](b.Pool, shape, v), windowsRun[float64](b.Pool, shape, v))
	o.diff = func(_ []*Node, _, g *Node) []*Node { return one(b.WindowsSum(g, v, shape...)) }
	return b.apply(o, x)
}

// WindowsSum puts windows [N*places,h,w,C] back on images of the shape given, [N,H,W,C], and adds up where they meet; what lies beyond an edge is
// lost.
func (b *Builder) WindowsSum(g *Node, v View, shape ...int) *Node {
	s := tensor.Shape(shape)
	mustFit(len(s) == 4 && g.Shape().Eq(tensor.Shape{s[0] * v.count(), v.Window[0], v.Window[1], s[3]}), fmt.Sprintf("images %v of windows", shape), g)
	o := (&operator{name: fmt.Sprintf("windowssum(%v)", v), out: s}).both(windowsSumRun[float32](b.Pool, s, v), windowsSumRun[float64](b.Pool, s, v))
	o.diff = func(_ []*Node, _, g *Node) []*Node { return one(b.Windows(g, v)) }
	return b.apply(o, g)
}

// runs calls f with every run of numbers that a window shares with image i, by their places in the windows and in the images.
func (v View) runs(i int, s tensor.Shape, f func(window, image, n int)) {
	each := v.Window[0] * v.Window[1] * s[3]
	for place := range v.count() {
		at, image := (i*v.count()+place)*each, i*s[1]*s[2]*s[3]
		v.one(place, s, func(window, pixel, n int) { f(at+window, image+pixel, n) })
	}
}

// one calls f with every run of numbers that the window at a place shares with an image [1,H,W,C], by their places in both.
func (v View) one(place int, s tensor.Shape, f func(window, image, n int)) {
	h, w, c := s[1], s[2], s[3]
	top, left := place/v.Places[1]*v.Stride[0]-v.Pad[0], place%v.Places[1]*v.Stride[1]-v.Pad[1]
	from, to := max(0, left), min(w, left+v.Window[1])
	for ky := range v.Window[0] {
		if y := top + ky; y >= 0 && y < h && from < to {
			f((ky*v.Window[1]+from-left)*c, (y*w+from)*c, (to-from)*c)
		}
	}
}

func windowsRun[T Float](p *Pool, s tensor.Shape, v View) func([]T, [][]T) {
	each := v.count() * v.Window[0] * v.Window[1] * s[3]
	return func(out []T, in [][]T) {
		p.each(s[0], 1, func(_ *kernel.Work, _, from, to int) {
			clear(out[from*each : to*each])
			for i := from; i < to; i++ {
				v.runs(i, s, func(window, image, n int) { copy(out[window:window+n], in[0][image:image+n]) })
			}
		})
	}
}

func windowsSumRun[T Float](p *Pool, s tensor.Shape, v View) func([]T, [][]T) {
	each := s.TotalSize() / s[0]
	return func(out []T, in [][]T) {
		p.each(s[0], 1, func(_ *kernel.Work, _, from, to int) {
			clear(out[from*each : to*each])
			for i := from; i < to; i++ {
				v.runs(i, s, func(window, image, n int) { kernel.AddTo(out[image:image+n], in[0][window:window+n]) })
			}
		})
	}
}

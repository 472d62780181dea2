package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// taps are the weights of a convolution from one channel to one channel for each tap of the window, which it copies.
func (g *window) taps(e *op.Emitter, like *onnxio.Value) *onnxio.Value {
	k := g.kh * g.kw
	if !e.Fits("the taps of a pooling window", float64(k)*float64(k)) {
		return like
	}
	w := make([]float64, k*k)
	for t := range k {
		w[t*k+t] = 1
	}
	return e.Reals(like, w, k, 1, g.kh, g.kw)
}

// flatImages sees n*c images as one channel each, with two spatial axes also where the window has one.
func (g *window) images() *window {
	q := *g
	q.n, q.c, q.oneD = g.n*g.c, 1, false
	return &q
}

// maxpoolGradient gives dy to the largest element of each window.
//
// Where no windows overlap, the places come from MaxPool's second output: the first of equal elements. GPU providers lack that output, and
// overlapping windows need sums: there equal elements share dy evenly. Windows that tile the image are compared with their maxima; of
// others the elements are laid out as channels by a convolution with unit weights, and the transposed convolution adds up.
func maxpoolGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	if dy[0] == nil {
		return nil
	}
	x := n.Inputs[0]
	g, err := poolOf(n)
	if err != nil {
		e.Fail(err)
		return nil
	}
	apart := g.sh >= (g.kh-1)*g.dh+1 && g.sw >= (g.kw-1)*g.dw+1
	if apart && !e.Portable && e.Opset >= 11 && n.Attrs.Int("storage_order", 0) == 0 {
		at := e.Output(n, 1, onnxio.Int64, dy[0].Shape)
		size, from := product(x.Shape), product(dy[0].Shape)
		flat := e.Op("ScatterElements", onnxio.Attrs{"axis": int64(0)}, e.Zeros(x, size), e.Reshape(at, from), e.Reshape(dy[0], from))
		return onlyFirst(e.Reshape(flat, x.Shape...))
	}
	q, k := g.images(), g.kh*g.kw
	if g.sh == g.kh && g.sw == g.kw && g.dh == 1 && g.dw == 1 && g.top+g.left == 0 && g.oh*g.kh <= g.h && g.ow*g.kw <= g.w {
		r := &reducer{axes: []int{2, 4}}
		inner := e.Slice(e.Slice(e.Reshape(x, q.n, g.h, g.w), 1, 0, g.oh*g.kh), 2, 0, g.ow*g.kw)
		r.x = e.Reshape(inner, q.n, g.oh, g.kh, g.ow, g.kw)
		r.y, r.dy = e.Reshape(n.Outputs[0], q.n, g.oh, 1, g.ow, 1), e.Reshape(dy[0], q.n, g.oh, 1, g.ow, 1)
		dx := e.Reshape(extremeSlope(true)(e, r), q.n, g.oh*g.kh, g.ow*g.kw)
		return onlyFirst(e.Reshape(e.Pad(dx, []int{0, 0, 0}, []int{0, g.h - g.oh*g.kh, g.w - g.ow*g.kw}), x.Shape...))
	}
	w := g.taps(e, x)
	attrs := onnxio.Attrs{}
	// ceil_mode and auto_pad are in the window's sizes already: the padding at the end follows from them.
	below := max(0, (g.oh-1)*g.sh+(g.kh-1)*g.dh+1-g.top-g.h)
	right := max(0, (g.ow-1)*g.sw+(g.kw-1)*g.dw+1-g.left-g.w)
	q.attributes(attrs, []int{g.top, g.left, below, right})
	seen := e.Op("Conv", attrs, e.Reshape(x, q.n, 1, g.h, g.w), w)
	if e.Err != nil {
		return nil
	}
	for i, want := range []int{g.oh, g.ow} {
		seen = e.Slice(seen, 2+i, 0, want)
	}
	if !e.Fits("a pooling window's padding", float64(k)*float64(g.oh)*float64(g.ow)) {
		return nil
	}
	if outside := g.outside(); outside != nil {
		seen = e.Add(seen, e.Reals(x, outside, 1, k, g.oh, g.ow))
	}
	r := &reducer{x: seen, axes: []int{1}, y: e.Reshape(n.Outputs[0], q.n, 1, g.oh, g.ow), dy: e.Reshape(dy[0], q.n, 1, g.oh, g.ow)}
	return onlyFirst(e.Reshape(adjoint(e, q, 1, extremeSlope(true)(e, r), w), x.Shape...))
}

// outside is a number below all others for the taps that lie in the padding, by tap and output place; nil where none does.
func (g *window) outside() []float64 {
	k, area := g.kh*g.kw, g.oh*g.ow
	out, some := make([]float64, k*area), false
	for t := range k {
		for o := range area {
			y, x := o/g.ow*g.sh-g.top+t/g.kw*g.dh, o%g.ow*g.sw-g.left+t%g.kw*g.dw
			if y < 0 || x < 0 || y >= g.h || x >= g.w {
				out[t*area+o], some = -3e38, true
			}
		}
	}
	if !some {
		return nil
	}
	return out
}

// globalMaxGradient shares dy evenly among an image's largest elements.
func globalMaxGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	x := n.Inputs[0]
	r := &reducer{x: x, y: n.Outputs[0], dy: dy[0]}
	for i := 2; i < len(x.Shape); i++ {
		r.axes = append(r.axes, i)
	}
	return onlyFirst(extremeSlope(true)(e, r))
}

package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// convGradient is dL/dx of a convolution with constant weights: the transposed convolution of dy. With stride 1 that is a convolution
// with the turned weights, which engines run faster.
func convGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	if e.Wants(n, 1) || e.Wants(n, 2) {
		return e.Refuse(n, "the weights depend on the model's input")
	}
	x, w := n.Inputs[0], n.Inputs[1]
	g, groups, err := convWindow(n, x.Shape, w.Shape)
	if err != nil {
		e.Fail(err)
		return nil
	}
	top, left := (g.kh-1)*g.dh-g.top, (g.kw-1)*g.dw-g.left
	bottom, right := g.h-1+(g.kh-1)*g.dh-top-(g.oh-1), g.w-1+(g.kw-1)*g.dw-left-(g.ow-1)
	if g.sh == 1 && g.sw == 1 && w.Const != nil && min(top, left, bottom, right) >= 0 {
		attrs := onnxio.Attrs{"group": int64(groups)}
		g.attributes(attrs, []int{top, left, bottom, right})
		return onlyFirst(e.Op("Conv", attrs, dy[0], e.Const(turnedWeights(w.Const, groups))))
	}
	if g.sh == g.sw && g.sh > 1 && g.dh == 1 && g.dw == 1 && groups == 1 && !g.oneD && w.Const != nil {
		return onlyFirst(phases(e, g, dy[0], w.Const))
	}
	return onlyFirst(adjoint(e, g, groups, dy[0], w))
}

// phases is the transposed convolution with stride s as one convolution with stride 1 and s*s times the channels, whose pixels
// DepthToSpace puts in between each other. Element q = s*j + r of the padded input gets dy[j-t]*w[r+s*t] for all t: the same window for
// every phase r, so that nothing but taps beyond the kernel's end is multiplied in vain.
func phases(e *op.Emitter, g *window, dy *onnxio.Value, w *onnxio.Tensor) *onnxio.Value {
	s := g.sh
	m, c := w.Shape[0], w.Shape[1]
	th, tw := (g.kh+s-1)/s, (g.kw+s-1)/s
	weights := onnxio.NewTensor(w.DType, s*s*c, m, th, tw)
	switch d := w.Data.(type) {
	case []float32:
		phaseTaps(weights.F32(), d, s, m, c, g.kh, g.kw)
	case []float64:
		phaseTaps(weights.F64(), d, s, m, c, g.kh, g.kw)
	}
	rows, columns := (g.top+g.h+s-1)/s, (g.left+g.w+s-1)/s
	pads := []int{th - 1, tw - 1, max(0, rows-g.oh), max(0, columns-g.ow)}
	y := e.Op("Conv", onnxio.Attrs{"pads": op.Ints64(pads)}, dy, e.Const(weights))
	y = e.Op("DepthToSpace", onnxio.Attrs{"blocksize": int64(s)}, y)
	return e.Slice(e.Slice(y, 2, g.top, g.top+g.h), 3, g.left, g.left+g.w)
}

// phaseTaps lays weights [m, c, kh, kw] out as [s*s*c, m, ceil(kh/s), ceil(kw/s)], taps in reverse, phases before channels.
func phaseTaps[T any](to, from []T, s, m, c, kh, kw int) {
	th, tw := (kh+s-1)/s, (kw+s-1)/s
	for o := range m {
		for i := range c {
			for y := range kh {
				for x := range kw {
					at := (((y%s*s+x%s)*c+i)*m+o)*th*tw + (th-1-y/s)*tw + tw - 1 - x/s
					to[at] = from[((o*c+i)*kh+y)*kw+x]
				}
			}
		}
	}
}

// attributes writes strides, dilations and pads (top, left, bottom, right).
func (g *window) attributes(a onnxio.Attrs, pads []int) {
	if g.oneD {
		a["strides"], a["dilations"], a["pads"] = []int64{int64(g.sw)}, []int64{int64(g.dw)}, op.Ints64([]int{pads[1], pads[3]})
		return
	}
	a["strides"], a["dilations"], a["pads"] = op.Ints64([]int{g.sh, g.sw}), op.Ints64([]int{g.dh, g.dw}), op.Ints64(pads)
}

// adjoint is the transposed convolution of dy with the window g, cut to the size of g's input.
func adjoint(e *op.Emitter, g *window, groups int, dy, w *onnxio.Value) *onnxio.Value {
	// What the transposed convolution gives behind its leading pads: too much is padding at the end, too little output_padding.
	fit := func(out, s, k, d, before, in int) (after, extra int) {
		over := (out-1)*s + (k-1)*d + 1 - before - in
		return max(over, 0), max(-over, 0)
	}
	bottom, eh := fit(g.oh, g.sh, g.kh, g.dh, g.top, g.h)
	right, ew := fit(g.ow, g.sw, g.kw, g.dw, g.left, g.w)
	attrs := onnxio.Attrs{"group": int64(groups)}
	g.attributes(attrs, []int{g.top, g.left, bottom, right})
	// output_padding must stay below the stride; what the windows never reach beyond it is zero.
	ph, pw := max(0, eh-(g.sh-1)), max(0, ew-(g.sw-1))
	if eh, ew = eh-ph, ew-pw; eh > 0 || ew > 0 {
		attrs["output_padding"] = op.Ints64([]int{eh, ew})
		if g.oneD {
			attrs["output_padding"] = op.Ints64([]int{ew})
		}
	}
	dx := e.Op("ConvTranspose", attrs, dy, w)
	if g.oneD {
		return e.Pad(dx, []int{0, 0, 0}, []int{0, 0, pw})
	}
	return e.Pad(dx, []int{0, 0, 0, 0}, []int{0, 0, ph, pw})
}

// turnedWeights are the weights [M, C/g, ...] of a convolution as those [C, M/g, ...] of its gradient: channels exchanged inside each
// group, taps in reverse.
func turnedWeights(w *onnxio.Tensor, groups int) *onnxio.Tensor {
	shape := append([]int{}, w.Shape...)
	m, c := w.Shape[0]/groups, w.Shape[1]
	shape[0], shape[1] = c*groups, m
	out := onnxio.NewTensor(w.DType, shape...)
	switch d := w.Data.(type) {
	case []float32:
		turn(out.F32(), d, groups, m, c)
	case []float64:
		turn(out.F64(), d, groups, m, c)
	}
	return out
}

func turn[T any](to, from []T, groups, m, c int) {
	taps := len(from) / (groups * m * c)
	for g := range groups {
		for o := range m {
			for i := range c {
				src := from[((g*m+o)*c+i)*taps:][:taps]
				dst := to[((g*c+i)*m+o)*taps:][:taps]
				for t, v := range src {
					dst[taps-1-t] = v
				}
			}
		}
	}
}

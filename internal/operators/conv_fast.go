package operators

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/kernel"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// convFast prepares a convolution with constant weights on channels-last images: every window is a sum over a few contiguous segments,
// and the weights are packed once. Channels by themselves (depthwise) go tap by tap.
func convFast(n *onnxio.Node, r *op.FastRequest) *op.Fast {
	x, w, err := convInputs(n)
	if err != nil || n.ConstInput(1) == nil || n.ConstInput(0) != nil || n.Input(2) != nil && n.ConstInput(2) == nil {
		return nil
	}
	g, groups, err := convWindow(n, x, w)
	if err != nil || g.n*g.oh*g.ow*w[0] == 0 || g.h*g.w*g.c == 0 || checkBias(n, w[0]) != nil {
		return nil
	}
	in, _ := op.ImageOrder(x)
	out, _ := op.ImageOrder(g.shape(w[0]))
	f := &op.Fast{In: []op.Order{in, {}, {}}, Out: out}
	switch wt := n.ConstInput(1).Data.(type) {
	case []float32:
		f.Run = convPlan(n, r, g, groups, wt)
	case []float64:
		f.Run = convPlan(n, r, g, groups, wt)
	default:
		return nil
	}
	return f
}

// convPacked is what every batch size shares.
type convPacked[T float32 | float64] struct {
	filters []*kernel.Filter[T] // one per group
	bias    [][]T
	taps    []T // depthwise: [taps][channels]
	off     []int
}

func convPlan[T float32 | float64](n *onnxio.Node, r *op.FastRequest, g *window, groups int, w []T) func(*op.Call) error {
	m := n.ConstInput(1).Shape[0]
	cg, mg, taps := g.c/groups, m/groups, g.kh*g.kw
	pad := newPadded(g)
	p := op.Packed(r, n, []*onnxio.Tensor{n.ConstInput(1), n.ConstInput(2)}, op.Order{C: pad.c, H: pad.rows, W: pad.cols}, func() *convPacked[T] {
		p := &convPacked[T]{}
		bias := make([]T, m)
		if t := n.ConstInput(2); t != nil {
			if b, ok := t.Data.([]T); ok {
				copy(bias, b)
			}
		}
		if cg == 1 && mg == 1 && groups > 1 {
			p.off = tapOffsets(g, pad)
			p.taps = make([]T, taps*m)
			for o := range m {
				for t := range taps {
					p.taps[t*m+o] = w[o*taps+t]
				}
			}
			p.bias = [][]T{bias}
			return p
		}
		offsets, run := tapOffsets(g, pad), cg
		if groups == 1 && g.dw == 1 { // a row of taps is contiguous
			offsets, run = offsets[:0], g.kw*cg
			for ky := range g.kh {
				offsets = append(offsets, ky*g.dh*pad.cols*pad.c)
			}
		}
		for grp := range groups {
			f := kernel.NewFilter(mg, run, offsets, func(o, s, i int) T {
				k := s*run + i // [tap][channel]
				return w[((grp*mg+o)*cg+k%cg)*taps+k/cg]
			})
			b := make([]T, f.Padded())
			copy(b, bias[grp*mg:(grp+1)*mg])
			p.filters, p.bias = append(p.filters, f), append(p.bias, b)
		}
		return p
	})
	lo, hi := T(r.Lo), T(r.Hi)
	in, out := g.h*g.w*g.c, g.oh*g.ow*m
	return func(c *op.Call) error {
		x, ok := c.In[0].Data.([]T)
		y, ok2 := c.Out[0].Data.([]T)
		if !ok || !ok2 || len(x) != g.n*in || len(y) != g.n*out {
			return fmt.Errorf("operands of types %v and %v", c.In[0].DType, c.In[1].DType)
		}
		var buf []T
		if pad.needed() {
			buf = op.Scratch[T](c.Work, pad.size())
		}
		for b := range g.n {
			image := x[b*in : (b+1)*in]
			if buf != nil {
				fillPadded(pad, buf, image, 0)
				image = buf
			}
			p.run(g, pad, image, y[b*out:(b+1)*out], m, mg, lo, hi, &c.Work.Kernel)
		}
		return nil
	}
}

// run convolves one image.
func (p *convPacked[T]) run(g *window, pad padded, x, y []T, m, mg int, lo, hi T, w *kernel.Work) {
	if p.taps != nil {
		for oy := range g.oh {
			s := kernel.Taps[T]{X: x, From: oy * g.sh * pad.cols * pad.c, N: g.ow, Step: g.sw * pad.c, Off: p.off, C: m,
				Y: y, To: oy * g.ow * m, YStep: m, W: p.taps, Bias: p.bias[0], Lo: lo, Hi: hi}
			s.Sum(w)
		}
		return
	}
	for grp, f := range p.filters {
		s := kernel.Windows[T]{X: x, From: grp * (pad.c / len(p.filters)), Rows: g.oh, Cols: g.ow, RowStep: g.sh * pad.cols * pad.c, Step: g.sw * pad.c,
			Y: y, To: grp * mg, YRowStep: g.ow * m, YStep: m, Bias: p.bias[grp], Lo: lo, Hi: hi}
		if s.RowStep == s.Cols*s.Step { // one long row makes better tiles
			s.Rows, s.Cols = 1, s.Rows*s.Cols
		}
		f.Slide(&s, w)
	}
}

// tapOffsets is where every tap of a window lies from its first pixel on.
func tapOffsets(g *window, pad padded) []int {
	var off []int
	for ky := range g.kh {
		for kx := range g.kw {
			off = append(off, (ky*g.dh*pad.cols+kx*g.dw)*pad.c)
		}
	}
	return off
}

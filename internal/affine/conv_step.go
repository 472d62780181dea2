package affine

import (
	"sync"

	"github.com/shallow-waters/shoal/internal/kernel"
)

// ConvStep is a convolution between images stored channels-last.
type ConvStep struct {
	c     *Conv
	cg    int          // input channels of a group
	mg    int          // output channels of a group
	taps  int          // KH*KW
	byOut [2][]float64 // per group [mg][taps][cg]: signed and absolute; as a matrix of outputs by patch
	depth bool         // one channel in, one out per group

	once   [2]sync.Once
	packed [2][]*kernel.Filter[float64] // per group, for Forward: signed and absolute

	planMu sync.Mutex
	plans  []widthPlan // for Back, by the width of the source windows

	single  sync.Once
	singled *Single
}

// NewConvStep prepares the weights.
func NewConvStep(c *Conv) *ConvStep {
	s := &ConvStep{c: c, cg: c.C / c.Groups, mg: c.M / c.Groups, taps: c.KH * c.KW}
	s.depth = s.cg == 1 && s.mg == 1 && c.Groups > 1
	w := make([]float64, len(c.Weights))
	for m := range c.M {
		for ch := range s.cg {
			for t := range s.taps {
				v := c.Weights[(m*s.cg+ch)*s.taps+t]
				if s.depth {
					w[t*c.M+m] = v // [taps][channels]
				} else {
					w[(m*s.taps+t)*s.cg+ch] = v
				}
			}
		}
	}
	s.byOut = [2][]float64{w, absOf(w)}
	return s
}

// In implements Step.
func (s *ConvStep) In() Geom { return Geom{s.c.H, s.c.W, s.c.C} }

// Out is the geometry of the output.
func (s *ConvStep) Out() Geom { return Geom{s.c.OH, s.c.OW, s.c.M} }

// Forward implements Step.
func (s *ConvStep) Forward(dst, src []float64, batch int, abs bool, w *Work) {
	c := s.c
	nin, nout := c.H*c.W*c.C, c.OH*c.OW*c.M
	if s.depth {
		wt := s.byOut[0]
		if abs {
			wt = s.byOut[1]
		}
		for b := range batch {
			s.depthForward(dst[b*nout:(b+1)*nout], src[b*nin:(b+1)*nin], wt)
		}
		return
	}
	filters := s.filters(abs)
	var buf []float64
	if rows, cols := s.padded(); rows > c.H || cols > c.W {
		buf = w.Zero(rows * cols * c.C)
		defer w.Put(buf)
	}
	for b := range batch {
		slide(s, filters, dst[b*nout:(b+1)*nout], src[b*nin:(b+1)*nin], buf, &w.pack.work)
	}
}

// slide adds one image's convolution. buf is what holds the image with its pads, which are zero there; nil for none.
func slide[T kernel.Float](s *ConvStep, filters []*kernel.Filter[T], y, x, buf []T, w *kernel.Work) {
	c := s.c
	_, cols := s.padded()
	if buf != nil { // what is around the image stays zero
		n := c.W * c.C
		for r := range c.H {
			copy(buf[((c.PadTop+r)*cols+c.PadLeft)*c.C:], x[r*n:(r+1)*n])
		}
		x = buf
	}
	for g, f := range filters {
		win := kernel.Windows[T]{X: x, From: g * s.cg, Rows: c.OH, Cols: c.OW, RowStep: c.StrideH * cols * c.C, Step: c.StrideW * c.C,
			Y: y, To: g * s.mg, YRowStep: c.OW * c.M, YStep: c.M, Lo: -kernel.Inf[T](), Hi: kernel.Inf[T](), Acc: true}
		f.Slide(&win, w)
	}
}

// padded is the size of the image with the pads that its windows reach.
func (s *ConvStep) padded() (rows, cols int) {
	c := s.c
	return max(c.PadTop+c.H, (c.OH-1)*c.StrideH+(c.KH-1)*c.DilationH+1), max(c.PadLeft+c.W, (c.OW-1)*c.StrideW+(c.KW-1)*c.DilationW+1)
}

// filters packs the weights, or their absolute values, the first time they are needed.
func (s *ConvStep) filters(abs bool) []*kernel.Filter[float64] {
	which := 0
	if abs {
		which = 1
	}
	s.once[which].Do(func() { s.packed[which] = pack[float64](s, s.byOut[which]) })
	return s.packed[which]
}

// pack makes the filters of weights by output, one for each group.
func pack[T kernel.Float](s *ConvStep, w []float64) (out []*kernel.Filter[T]) {
	c := s.c
	_, cols := s.padded()
	var offsets []int
	run := s.cg
	for ky := range c.KH {
		if c.DilationW == 1 && c.Groups == 1 { // a row of taps is contiguous
			run = c.KW * s.cg
			offsets = append(offsets, ky*c.DilationH*cols*c.C)
			continue
		}
		for kx := range c.KW {
			offsets = append(offsets, (ky*c.DilationH*cols+kx*c.DilationW)*c.C)
		}
	}
	patch := s.taps * s.cg
	for g := range c.Groups {
		out = append(out, kernel.NewFilter(s.mg, run, offsets, func(o, seg, i int) T { return T(w[(g*s.mg+o)*patch+seg*run+i]) }))
	}
	return out
}

func (s *ConvStep) depthForward(y, x, wt []float64) {
	c := s.c
	for p := range c.OH * c.OW {
		y0, x0 := p/c.OW*c.StrideH-c.PadTop, p%c.OW*c.StrideW-c.PadLeft
		out := y[p*c.M : (p+1)*c.M]
		for ky := range c.KH {
			iy := y0 + ky*c.DilationH
			if iy < 0 || iy >= c.H {
				continue
			}
			for kx := range c.KW {
				ix := x0 + kx*c.DilationW
				if ix < 0 || ix >= c.W {
					continue
				}
				in := x[(iy*c.W+ix)*c.C:][:c.C]
				k := wt[(ky*c.KW+kx)*c.M:][:c.M]
				for ch := range out {
					out[ch] += k[ch] * in[ch]
				}
			}
		}
	}
}

// Pick implements Step: the rows are the kernels themselves.
func (s *ConvStep) Pick(index []int32, sign []float64, live []int32, w *Work) *Rows {
	c := s.c
	h, wd := (c.KH-1)*c.DilationH+1, (c.KW-1)*c.DilationW+1
	n := len(index)
	out := &Rows{N: n, H: h, W: wd, C: c.C, Full: s.In(), Y: make([]int32, n), X: make([]int32, n), Data: w.Zero(n * h * wd * c.C)}
	for i, j := range index {
		p, m := int(j)/c.M, int(j)%c.M
		y0, x0 := p/c.OW*c.StrideH-c.PadTop, p%c.OW*c.StrideW-c.PadLeft
		out.Y[i], out.X[i] = int32(y0), int32(x0)
		row := out.Row(i)
		g := m / s.mg
		for ky := range c.KH {
			iy := y0 + ky*c.DilationH
			if iy < 0 || iy >= c.H {
				continue
			}
			for kx := range c.KW {
				ix := x0 + kx*c.DilationW
				if ix < 0 || ix >= c.W {
					continue
				}
				to := row[(ky*c.DilationH*wd+kx*c.DilationW)*c.C+g*s.cg:][:s.cg]
				for ch := range to {
					to[ch] = sign[i] * s.weight(m, ky*c.KW+kx, ch)
				}
			}
		}
	}
	return out
}

func (s *ConvStep) weight(m, tap, ch int) float64 {
	if s.depth {
		return s.byOut[0][tap*s.c.M+m]
	}
	return s.byOut[0][(m*s.taps+tap)*s.cg+ch]
}

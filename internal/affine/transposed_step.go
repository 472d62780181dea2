package affine

import (
	"slices"
	"sync"
)

// Transposed is the adjoint of a convolution of one image (ConvTranspose): its input is the convolution's output, and its output the
// convolution's input.
type Transposed struct{ Conv *Conv }

// Dims implements Map.
func (m *Transposed) Dims() (in, out int) {
	in, out = m.Conv.Dims()
	return out, in
}

// Terms implements Map. Of the taps of a stride, an output pixel is reached by those of one phase.
func (m *Transposed) Terms() (perOutput, perInput int) {
	c := m.Conv
	phase := func(k, d, s int) (most int) {
		for p := range s {
			taps, _ := phaseTaps(k, d, s, p)
			most = max(most, len(taps))
		}
		return most
	}
	return c.M / c.Groups * phase(c.KH, c.DilationH, c.StrideH) * phase(c.KW, c.DilationW, c.StrideW), c.C / c.Groups * c.KH * c.KW
}

// TransposedStep runs a convolution backward where bounds go forward, and forward where rows go back: a row times the adjoint's matrix is the
// convolution of the row.
type TransposedStep struct {
	conv *ConvStep

	once sync.Once
	abs  *ConvStep // of the absolute weights

	mu   sync.Mutex
	crop []*ConvStep // convolutions of windows, by their size
}

// NewTransposedStep prepares the weights.
func NewTransposedStep(m *Transposed) *TransposedStep {
	return &TransposedStep{conv: NewConvStep(m.Conv)}
}

// In implements Step.
func (s *TransposedStep) In() Geom { return s.conv.Out() }

// Out is the geometry of the output.
func (s *TransposedStep) Out() Geom { return s.conv.In() }

// Forward implements Step.
func (s *TransposedStep) Forward(dst, src []float64, batch int, abs bool, w *Work) {
	step := s.conv
	if abs {
		s.once.Do(func() {
			c := *s.conv.c
			c.Weights = absOf(c.Weights)
			s.abs = NewConvStep(&c)
		})
		step = s.abs
	}
	g := s.In()
	x := &Rows{N: batch, H: g.H, W: g.W, C: g.C, Full: g, Data: w.Get(batch * g.Len())}
	copy(x.Data, src[:len(x.Data)])
	y := step.Back(x, nil, w)
	addTo(dst[:len(y.Data)], y.Data)
	w.Put(y.Data)
}

// Back implements Step. A window of h positions reaches (h-1 + (k-1)*dilation)/stride + 1 of the input; where these are most of the image the rows
// become dense.
func (s *TransposedStep) Back(src *Rows, live []int32, w *Work) *Rows {
	c := s.conv.c
	if src.Index != nil {
		src = src.Expand(w)
	}
	src = src.recast(s.Out(), w)
	h, wd := (src.H-1+(c.KH-1)*c.DilationH)/c.StrideH+1, (src.W-1+(c.KW-1)*c.DilationW)/c.StrideW+1
	g := s.In()
	if src.Y == nil || h*wd*4 >= g.H*g.W*3 {
		src = src.Expand(w)
		out := &Rows{N: src.N, H: g.H, W: g.W, C: g.C, Full: g, Data: w.Zero(src.N * g.Len())}
		s.conv.Forward(out.Data, src.Data, src.N, false, w)
		w.Put(src.Data)
		return out
	}
	part := s.cropped(h, wd)
	out := &Rows{N: src.N, H: h, W: wd, C: g.C, Full: g, Y: make([]int32, src.N), X: make([]int32, src.N)}
	// Every window is put where it stands among the patches that reach it; the first of these may begin before it.
	size := part.In()
	buf := w.Zero(src.N * size.Len())
	for i := range src.N {
		y0, x0 := int(src.Y[i])+c.PadTop, int(src.X[i])+c.PadLeft // in the padded image
		oy, ox := ceilDiv(y0-(c.KH-1)*c.DilationH, c.StrideH), ceilDiv(x0-(c.KW-1)*c.DilationW, c.StrideW)
		out.Y[i], out.X[i] = int32(oy), int32(ox)
		dy, dx := y0-oy*c.StrideH, x0-ox*c.StrideW
		row, to := src.Row(i), buf[i*size.Len():(i+1)*size.Len()]
		skip := max(0, -dx) // between patches, where the stride is longer than the kernel
		for y := max(0, -dy); y < src.H && skip < src.W; y++ {
			copy(to[((dy+y)*size.W+dx+skip)*size.C:], row[(y*src.W+skip)*src.C:(y+1)*src.W*src.C])
		}
	}
	out.Data = w.Zero(out.N * out.Width())
	part.Forward(out.Data, buf, src.N, false, w)
	w.Put(buf)
	w.Put(src.Data)
	clearOutside(out)
	return out
}

// cropped is the convolution with h x wd outputs, without pads.
func (s *TransposedStep) cropped(h, wd int) *ConvStep {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.IndexFunc(s.crop, func(p *ConvStep) bool { return p.c.OH == h && p.c.OW == wd }); i >= 0 {
		return s.crop[i]
	}
	c := *s.conv.c
	c.OH, c.OW, c.PadTop, c.PadLeft = h, wd, 0, 0
	// A window begins up to the kernel's reach after its first patch, and ends before the last patch does or up to a stride less one later.
	c.H, c.W = h*c.StrideH+(c.KH-1)*c.DilationH, wd*c.StrideW+(c.KW-1)*c.DilationW
	if len(s.crop) >= keptPlans {
		s.crop = s.crop[1:]
	}
	p := NewConvStep(&c)
	s.crop = append(s.crop, p)
	return p
}

func ceilDiv(a, b int) int {
	if a > 0 {
		return (a + b - 1) / b
	}
	return -(-a / b)
}

// clearOutside makes the coefficients of windows that stick out of the image zero.
func clearOutside(r *Rows) {
	for i := range r.N {
		row, y0, x0 := r.Row(i), int(r.Y[i]), int(r.X[i])
		for y := range r.H {
			line := row[y*r.W*r.C : (y+1)*r.W*r.C]
			if y0+y < 0 || y0+y >= r.Full.H {
				clear(line)
				continue
			}
			a, b := min(r.W, max(0, -x0)), max(0, min(r.W, r.Full.W-x0))
			clear(line[:a*r.C])
			clear(line[b*r.C:])
		}
	}
}

// Pick implements Step.
func (s *TransposedStep) Pick(index []int32, sign []float64, live []int32, w *Work) *Rows {
	return s.Back(OneHot(s.Out(), index, sign, w), nil, w)
}

package affine

import "github.com/shallow-waters/shoal/internal/kernel"

// Back implements Step: a transposed convolution of every window. A window of h x w positions becomes one of
// (h-1)*stride + (k-1)*dilation + 1; where that reaches the size of the image, the rows become dense.
func (s *ConvStep) Back(src *Rows, live []int32, w *Work) *Rows {
	c := s.c
	if src.Index != nil {
		src = src.Expand(w)
	}
	src.Full = s.Out()
	h := (src.H-1)*c.StrideH + (c.KH-1)*c.DilationH + 1
	wd := (src.W-1)*c.StrideW + (c.KW-1)*c.DilationW + 1
	out := &Rows{N: src.N, H: h, W: wd, C: c.C, Full: s.In()}
	if src.Y == nil || (h >= c.H && wd >= c.W) || h*wd*4 >= c.H*c.W*3 {
		out.H, out.W = c.H, c.W
	} else {
		out.Y, out.X = make([]int32, src.N), make([]int32, src.N)
		for i := range src.N {
			out.Y[i], out.X[i] = src.Y[i]*int32(c.StrideH)-int32(c.PadTop), src.X[i]*int32(c.StrideW)-int32(c.PadLeft)
		}
	}
	if s.cg >= gatherChannels && !s.depth {
		out.Data = w.Get(src.N * out.Width())
		s.gather(out, src, w)
	} else {
		out.Data = w.Zero(src.N * out.Width())
		s.scatter(out, src, w)
	}
	w.Put(src.Data)
	return out
}

// gatherChannels is the least number of input channels for which whole vectors of them are worth gathering.
const gatherChannels = 6

// scatter adds the patches of all positions of all rows, in blocks that stay in the cache.
func (s *ConvStep) scatter(out, src *Rows, w *Work) {
	c := s.c
	if s.depth {
		s.eachPosition(src, 0, src.N*src.H*src.W, func(p, r, y0, x0 int) {
			s.depthBack(out, src, p, r, y0, x0)
		})
		return
	}
	patch := s.taps * s.cg
	total := src.N * src.H * src.W
	block := max(16, min(total, 24576/patch))
	buf := w.Get(block * patch)
	for g := range c.Groups {
		wt := s.byOut[0][g*s.mg*patch : (g+1)*s.mg*patch]
		for p0 := 0; p0 < total; p0 += block {
			p1 := min(total, p0+block)
			kernel.Gemm(false, false, p1-p0, patch, s.mg, src.Data[p0*c.M+g*s.mg:], c.M, wt, patch, buf, patch, false, &w.pack.work)
			s.eachPosition(src, p0, p1, func(p, r, y0, x0 int) {
				s.addPatch(out, buf[(p-p0)*patch:(p-p0+1)*patch], r, y0, x0, g)
			})
		}
	}
	w.Put(buf)
}

// eachPosition visits the positions inside the image among [p0, p1) of all windows: p counts positions, r rows, and
// (y0, x0) is where the patch starts in the input image.
func (s *ConvStep) eachPosition(src *Rows, p0, p1 int, f func(p, r, y0, x0 int)) {
	c := s.c
	area := src.H * src.W
	for p := p0; p < p1; p++ {
		r := p / area
		oy, ox := p%area/src.W, p%area%src.W
		if src.Y != nil {
			oy += int(src.Y[r])
			ox += int(src.X[r])
			if oy < 0 || oy >= c.OH || ox < 0 || ox >= c.OW {
				continue
			}
		}
		f(p, r, oy*c.StrideH-c.PadTop, ox*c.StrideW-c.PadLeft)
	}
}

func (s *ConvStep) addPatch(out *Rows, patch []float64, r, y0, x0, g int) {
	c := s.c
	row := out.Row(r)
	oy, ox := 0, 0
	if out.Y != nil {
		oy, ox = int(out.Y[r]), int(out.X[r])
	}
	// Neighbouring taps are neighbours in the image too where nothing stands between them.
	whole := c.DilationW == 1 && s.cg == c.C
	for ky := range c.KH {
		iy := y0 + ky*c.DilationH
		if iy < 0 || iy >= c.H {
			continue
		}
		line := row[(iy-oy)*out.W*c.C:]
		if whole {
			ka, kb := max(0, -x0), min(c.KW, c.W-x0)
			if ka < kb {
				at := (x0 + ka - ox) * c.C
				n := (kb - ka) * c.C
				from := (ky*c.KW + ka) * c.C
				addTo(line[at:at+n], patch[from:from+n])
			}
			continue
		}
		for kx := range c.KW {
			ix := x0 + kx*c.DilationW
			if ix < 0 || ix >= c.W {
				continue
			}
			at := (ix-ox)*c.C + g*s.cg
			from := (ky*c.KW + kx) * s.cg
			addTo(line[at:at+s.cg], patch[from:from+s.cg])
		}
	}
}

func (s *ConvStep) depthBack(out, src *Rows, p, r, y0, x0 int) {
	c := s.c
	row := out.Row(r)
	oy, ox := 0, 0
	if out.Y != nil {
		oy, ox = int(out.Y[r]), int(out.X[r])
	}
	in := src.Data[p*c.M : (p+1)*c.M]
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
			to := row[((iy-oy)*out.W+ix-ox)*c.C:][:c.C]
			k := s.byOut[0][(ky*c.KW+kx)*c.M:][:c.M]
			for ch := range to {
				to[ch] += k[ch] * in[ch]
			}
		}
	}
}

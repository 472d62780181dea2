package affine

import "github.com/shallow-waters/shoal/internal/kernel"

// Single is a convolution in float32, over whole images: for whoever looks for something that is then bounded in float64. Nothing sound may rest on
// it. It is read-only.
type Single struct {
	s       *ConvStep
	forth   []*kernel.Filter[float32]
	back    []phase[float32] // nil where patches are scattered
	patches []float32        // by output, where they are
}

// Single is the convolution in float32, packed the first time it is asked for; nil where every channel goes by itself: there are no kernels for it.
func (s *ConvStep) Single() *Single {
	if s.depth {
		return nil
	}
	s.single.Do(func() {
		x := &Single{s: s, forth: pack[float32](s, s.byOut[0])}
		if s.cg >= gatherChannels {
			x.back = plan[float32](s, s.c.OW)
		} else {
			x.patches = make([]float32, len(s.byOut[0]))
			for i, v := range s.byOut[0] {
				x.patches[i] = float32(v)
			}
		}
		s.singled = x
	})
	return s.singled
}

// SingleWork holds what Single needs between calls. The zero value is ready; not safe for concurrent use.
type SingleWork struct {
	kernel  kernel.Work
	pad     []float32
	patches []float32
}

// zeros are n of them, in memory that is kept.
func zeros(of *[]float32, n int) []float32 {
	if cap(*of) < n {
		*of = make([]float32, n)
	}
	*of = (*of)[:n]
	clear(*of)
	return *of
}

// Forth adds A x to dst for each of n vectors stored one behind the other.
func (x *Single) Forth(dst, src []float32, n int, w *SingleWork) {
	c := x.s.c
	in, out := c.H*c.W*c.C, c.OH*c.OW*c.M
	var buf []float32
	if rows, cols := x.s.padded(); rows > c.H || cols > c.W {
		buf = zeros(&w.pad, rows*cols*c.C)
	}
	for i := range n {
		slide(x.s, x.forth, dst[i*out:(i+1)*out], src[i*in:(i+1)*in], buf, &w.kernel)
	}
}

// Back writes n rows over the output as rows over the input, r -> r A.
func (x *Single) Back(dst, src []float32, n int, w *SingleWork) {
	c := x.s.c
	in, out := c.H*c.W*c.C, c.OH*c.OW*c.M
	clear(dst[:n*in])
	if x.back == nil {
		x.scatter(dst, src, n, w)
		return
	}
	side := spread(c.KW, c.DilationW, c.StrideW)
	cols := c.OW + 2*side
	pad := zeros(&w.pad, c.OH*cols*c.M)
	h, wd := (c.OH-1)*c.StrideH+(c.KH-1)*c.DilationH+1, (c.OW-1)*c.StrideW+(c.KW-1)*c.DilationW+1
	for i := range n {
		row := src[i*out : (i+1)*out]
		for y := range c.OH {
			copy(pad[(y*cols+side)*c.M:], row[y*c.OW*c.M:(y+1)*c.OW*c.M])
		}
		for k := range x.back {
			gatherPhase(x.s, &x.back[k], pad, c.OH, cols, side, dst[i*in:(i+1)*in], c.W, c.PadTop, c.PadLeft,
				c.PadTop, min(h, c.H+c.PadTop), c.PadLeft, min(wd, c.W+c.PadLeft), &w.kernel)
		}
	}
}

// scatter adds the patches of all positions, in blocks that stay in the cache.
func (x *Single) scatter(dst, src []float32, n int, w *SingleWork) {
	s, c := x.s, x.s.c
	patch, area := s.taps*s.cg, c.OH*c.OW
	total := n * area
	block := max(16, min(total, 49152/patch))
	buf := zeros(&w.patches, block*patch)
	for g := range c.Groups {
		wt := x.patches[g*s.mg*patch : (g+1)*s.mg*patch]
		for p0 := 0; p0 < total; p0 += block {
			p1 := min(total, p0+block)
			kernel.Gemm(false, false, p1-p0, patch, s.mg, src[p0*c.M+g*s.mg:], c.M, wt, patch, buf, patch, false, &w.kernel)
			for p := p0; p < p1; p++ {
				image := dst[p/area*c.H*c.W*c.C:][:c.H*c.W*c.C]
				x.addPatch(image, buf[(p-p0)*patch:(p-p0+1)*patch], p%area/c.OW*c.StrideH-c.PadTop, p%c.OW*c.StrideW-c.PadLeft, g)
			}
		}
	}
}

// addPatch adds a patch that begins at row y0, column x0 of an image.
func (x *Single) addPatch(image, patch []float32, y0, x0, g int) {
	s, c := x.s, x.s.c
	run, step := 1, 1 // positions that stand together both in patch and image
	if c.DilationW == 1 && c.Groups == 1 {
		run, step = c.KW, c.KW
	}
	for ky := range c.KH {
		iy := y0 + ky*c.DilationH
		if iy < 0 || iy >= c.H {
			continue
		}
		for kx := 0; kx < c.KW; kx += step {
			a, b := x0+kx*c.DilationW, x0+kx*c.DilationW+run
			skip := max(0, -a)
			if a += skip; min(b, c.W) > a {
				n := (min(b, c.W) - a) * s.cg
				from := ((ky*c.KW + kx) + skip) * s.cg
				kernel.AddTo(image[(iy*c.W+a)*c.C+g*s.cg:][:n], patch[from:from+n])
			}
		}
	}
}

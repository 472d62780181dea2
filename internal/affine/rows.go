package affine

// Geom is the image geometry of a value as the bounds store it: H rows of W positions of C channels, channels innermost.
// A value without spatial meaning is 1 x 1 x n.
type Geom struct{ H, W, C int }

// Len is the number of elements.
func (g Geom) Len() int { return g.H * g.W * g.C }

// Rows is a batch of linear forms over one value, each given by its coefficients on a window of the value.
//
// Row r covers positions [Y[r], Y[r]+H) x [X[r], X[r]+W) of the value's image and all channels; Data is [N][H][W][C]. Windows may
// stick out of the image: coefficients out there are zero. Y and X nil means windows at (0, 0). A flat value may be
// compact: then Index lists the C elements that the coefficients belong to, ascending, and all others have coefficient zero.
type Rows struct {
	N       int
	H, W, C int
	Y, X    []int32
	Index   []int32
	Data    []float64
	Full    Geom
}

// Width is the number of coefficients of a row.
func (r *Rows) Width() int { return r.H * r.W * r.C }

// Row returns the coefficients of row i.
func (r *Rows) Row(i int) []float64 { w := r.Width(); return r.Data[i*w : (i+1)*w] }

// Dense tells whether every row covers exactly the whole value.
func (r *Rows) Dense() bool {
	return r.Y == nil && r.Index == nil && r.H == r.Full.H && r.W == r.Full.W
}

// Run calls f for the stretches of row i that lie inside the image: coefficients Row(i)[off:off+n] belong to the value's
// elements [at, at+n). Not for compact rows.
func (r *Rows) Run(i int, f func(off, at, n int)) {
	if r.Dense() {
		f(0, 0, r.Full.Len())
		return
	}
	y0, x0 := int(r.Y[i]), int(r.X[i])
	xa, xb := max(0, -x0), min(r.W, r.Full.W-x0)
	if xa >= xb {
		return
	}
	for dy := max(0, -y0); dy < min(r.H, r.Full.H-y0); dy++ {
		f((dy*r.W+xa)*r.C, ((y0+dy)*r.Full.W+x0+xa)*r.C, (xb-xa)*r.C)
	}
}

// Work is a store of buffers for one goroutine. The zero value is ready.
type Work struct {
	free [][]float64
	pack packBuffers
}

// Get returns n elements with unspecified content.
func (w *Work) Get(n int) []float64 {
	best := -1
	for i, b := range w.free {
		if cap(b) >= n && (best < 0 || cap(b) < cap(w.free[best])) {
			best = i
		}
	}
	if best < 0 {
		return make([]float64, n, n+n/4)
	}
	b := w.free[best]
	last := len(w.free) - 1
	w.free[best] = w.free[last]
	w.free = w.free[:last]
	return b[:n]
}

// Zero returns n zeros.
func (w *Work) Zero(n int) []float64 {
	b := w.Get(n)
	clear(b)
	return b
}

// Put gives a buffer back.
func (w *Work) Put(b []float64) {
	if cap(b) == 0 {
		return
	}
	if len(w.free) >= 24 {
		w.free = w.free[1:]
	}
	w.free = append(w.free, b)
}

// Expand returns the same forms as dense rows and gives r's buffer back.
func (r *Rows) Expand(w *Work) *Rows {
	if r.Dense() {
		return r
	}
	n := r.Full.Len()
	d := &Rows{N: r.N, H: r.Full.H, W: r.Full.W, C: r.Full.C, Full: r.Full, Data: w.Zero(r.N * n)}
	for i := range r.N {
		src, dst := r.Row(i), d.Data[i*n:(i+1)*n]
		if r.Index != nil {
			for k, j := range r.Index {
				dst[j] = src[k]
			}
			continue
		}
		r.Run(i, func(off, at, m int) { copy(dst[at:at+m], src[off:off+m]) })
	}
	w.Put(r.Data)
	return d
}

// recast takes the rows for forms over a value of the same elements in another geometry. Windows of one are no windows of the other.
func (r *Rows) recast(g Geom, w *Work) *Rows {
	if r.Full == g {
		return r
	}
	r = r.Expand(w)
	r.H, r.W, r.C, r.Full = g.H, g.W, g.C, g
	return r
}

// Add returns the sum of two batches of forms over the same value, row by row; it takes both over.
func Add(a, b *Rows, w *Work) *Rows {
	if a.Index != nil || b.Index != nil {
		if len(a.Index) > 0 && len(a.Index) == len(b.Index) && &a.Index[0] == &b.Index[0] {
			return addInto(a, b, w)
		}
		return addInto(a.Expand(w), b.Expand(w), w)
	}
	if a.Dense() || b.Dense() {
		if b.Dense() {
			a, b = b, a
		}
		n := a.Width()
		for i := range b.N {
			src, dst := b.Row(i), a.Data[i*n:(i+1)*n]
			b.Run(i, func(off, at, m int) { addTo(dst[at:at+m], src[off:off+m]) })
		}
		w.Put(b.Data)
		return a
	}
	dy, dx := b.Y[0]-a.Y[0], b.X[0]-a.X[0]
	for i := range a.N {
		if b.Y[i]-a.Y[i] != dy || b.X[i]-a.X[i] != dx {
			return addInto(a.Expand(w), b.Expand(w), w)
		}
	}
	if dy == 0 && dx == 0 && a.H == b.H && a.W == b.W {
		return addInto(a, b, w)
	}
	y0, x0 := min(0, int(dy)), min(0, int(dx))
	h := max(a.H, b.H+int(dy)) - y0
	wd := max(a.W, b.W+int(dx)) - x0
	if h*wd >= a.Full.H*a.Full.W {
		return addInto(a.Expand(w), b.Expand(w), w)
	}
	u := &Rows{N: a.N, H: h, W: wd, C: a.C, Full: a.Full, Data: w.Zero(a.N * h * wd * a.C), Y: make([]int32, a.N), X: make([]int32, a.N)}
	for i := range a.N {
		u.Y[i], u.X[i] = a.Y[i]+int32(y0), a.X[i]+int32(x0)
	}
	for _, part := range []struct {
		r      *Rows
		dy, dx int
	}{{a, -y0, -x0}, {b, int(dy) - y0, int(dx) - x0}} {
		for i := range a.N {
			src, dst := part.r.Row(i), u.Row(i)
			for y := range part.r.H {
				n := part.r.W * a.C
				at := ((y+part.dy)*wd + part.dx) * a.C
				addTo(dst[at:at+n], src[y*n:(y+1)*n])
			}
		}
		w.Put(part.r.Data)
	}
	return u
}

func addInto(a, b *Rows, w *Work) *Rows {
	addTo(a.Data, b.Data)
	w.Put(b.Data)
	return a
}

// Copy duplicates the forms; index and origins are shared.
func (r *Rows) Copy(w *Work) *Rows {
	c := *r
	c.Data = w.Get(len(r.Data))
	copy(c.Data, r.Data)
	return &c
}

// OneHot returns rows that pick single elements: row i is sign[i] * element index[i], as a window of one position.
func OneHot(g Geom, index []int32, sign []float64, w *Work) *Rows {
	n := len(index)
	r := &Rows{N: n, H: 1, W: 1, C: g.C, Full: g, Data: w.Zero(n * g.C)}
	if g.H*g.W > 1 {
		r.Y, r.X = make([]int32, n), make([]int32, n)
	}
	for i, j := range index {
		p := int(j) / g.C
		if r.Y != nil {
			r.Y[i], r.X[i] = int32(p/g.W), int32(p%g.W)
		}
		r.Data[i*g.C+int(j)%g.C] = sign[i]
	}
	return r
}

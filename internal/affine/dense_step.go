package affine

import (
	"sync"

	"github.com/shallow-waters/shoal/internal/kernel"
)

// DenseStep is a full matrix, stored outputs by inputs.
type DenseStep struct {
	G       Geom // of the input
	N, M    int  // inputs, outputs
	W       []float64
	abs     []float64
	absOnce sync.Once
	turned  []float64 // W, inputs by outputs
	turn    sync.Once

	mu     sync.Mutex
	cached []*compressed
}

// compressed is W restricted to some outputs and inputs.
type compressed struct {
	rows, cols []int32
	w          []float64
}

// NewDenseStep takes w, m rows of g.Len() entries.
func NewDenseStep(g Geom, m int, w []float64) *DenseStep {
	return &DenseStep{G: g, N: g.Len(), M: m, W: w}
}

// In implements Step.
func (s *DenseStep) In() Geom { return s.G }

func (s *DenseStep) absolute() []float64 {
	s.absOnce.Do(func() { s.abs = absOf(s.W) })
	return s.abs
}

// Forward implements Step.
func (s *DenseStep) Forward(dst, src []float64, batch int, abs bool, w *Work) {
	wt := s.W
	if abs {
		wt = s.absolute()
	}
	if batch == 1 {
		kernel.Gemv(false, s.M, s.N, wt, s.N, src, dst, true)
		return
	}
	if !abs && s.N*s.M <= turnedFloats {
		s.turn.Do(func() {
			s.turned = make([]float64, s.N*s.M)
			kernel.Transpose(s.M, s.N, s.W, s.turned)
		})
		kernel.Gemm(false, false, batch, s.M, s.N, src, s.N, s.turned, s.M, dst, s.M, true, &w.pack.work)
		return
	}
	kernel.Gemm(false, true, batch, s.M, s.N, src, s.N, wt, s.N, dst, s.M, true, &w.pack.work)
}

// turnedFloats is how large a matrix may be to be kept the other way round too, which saves packing it anew for each batch: 32 MiB.
const turnedFloats = 4 << 20

// MidRad computes mid, rad and mag together: one pass over the matrix (see kernel.MidRad). The results are overwritten.
func (s *DenseStep) MidRad(mid, rad, mag, ymid, yrad, ymag []float64) {
	kernel.MidRad(s.M, s.N, s.W, s.N, mid, rad, mag, ymid, yrad, ymag)
}

// Back implements Step.
func (s *DenseStep) Back(src *Rows, live []int32, w *Work) *Rows {
	if src.Index == nil && !src.Dense() {
		src = src.Expand(w)
	}
	k := src.Width()
	c := s.compress(src.Index, live, src.N)
	n := s.N
	if live != nil {
		n = len(live)
	}
	out := &Rows{N: src.N, H: s.G.H, W: s.G.W, C: s.G.C, Full: s.G, Data: w.Get(src.N * n)}
	if live != nil {
		out.H, out.W, out.C, out.Index = 1, 1, n, live
	}
	if k == 0 || n == 0 {
		clear(out.Data)
	} else {
		kernel.Gemm(false, false, src.N, n, k, src.Data, k, c, n, out.Data, n, false, &w.pack.work)
	}
	w.Put(src.Data)
	return out
}

// compress returns W restricted to the given outputs (nil: all) and inputs (nil: all). The last few are kept, keyed by the
// identity of the index slices, which belong to one box and never change.
func (s *DenseStep) compress(rows, cols []int32, _ int) []float64 {
	if rows == nil && cols == nil {
		return s.W
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.cached {
		if sameSlice(c.rows, rows) && sameSlice(c.cols, cols) {
			return c.w
		}
	}
	c := &compressed{rows: rows, cols: cols}
	m, n := s.M, s.N
	if rows != nil {
		m = len(rows)
	}
	if cols != nil {
		n = len(cols)
	}
	c.w = make([]float64, m*n)
	for i := range m {
		r := i
		if rows != nil {
			r = int(rows[i])
		}
		from, to := s.W[r*s.N:(r+1)*s.N], c.w[i*n:(i+1)*n]
		if cols == nil {
			copy(to, from)
			continue
		}
		for k, j := range cols {
			to[k] = from[j]
		}
	}
	if len(s.cached) >= 4 {
		s.cached = s.cached[1:]
	}
	s.cached = append(s.cached, c)
	return c.w
}

// sameSlice compares identity: the slices are kept alive by the cache, so equal addresses mean the same index list.
func sameSlice(a, b []int32) bool {
	if len(a) != len(b) || (a == nil) != (b == nil) {
		return false
	}
	return len(a) == 0 || &a[0] == &b[0]
}

// Pick implements Step.
func (s *DenseStep) Pick(index []int32, sign []float64, live []int32, w *Work) *Rows {
	n := s.N
	out := &Rows{N: len(index), H: s.G.H, W: s.G.W, C: s.G.C, Full: s.G}
	if live != nil {
		n = len(live)
		out.H, out.W, out.C, out.Index = 1, 1, n, live
	}
	out.Data = w.Get(len(index) * n)
	for i, j := range index {
		from, to := s.W[int(j)*s.N:(int(j)+1)*s.N], out.Data[i*n:(i+1)*n]
		f := sign[i]
		if live != nil {
			for k, at := range live {
				to[k] = f * from[at]
			}
			continue
		}
		for k, v := range from {
			to[k] = f * v
		}
	}
	return out
}

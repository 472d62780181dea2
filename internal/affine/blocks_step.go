package affine

import (
	"sync"

	"github.com/shallow-waters/shoal/internal/kernel"
)

// BlocksStep is one full matrix on consecutive stretches of a value: y[b*M+i] = sum_j W[i*N+j] x[b*N+j]. The input may be stored in another
// order than the stretches'.
type BlocksStep struct {
	G       Geom // of the input
	B, N, M int  // stretches; inputs and outputs of one
	W       []float64
	inverse []int32 // of the input's order: where its elements are stored; nil where they stand so
	abs     []float64
	absOnce sync.Once
}

// NewBlocksStep takes the matrix of m, and the order of the input; the output is stored as it stands in ONNX.
func NewBlocksStep(m *Dense, in Order) *BlocksStep {
	return &BlocksStep{G: in.Geom, B: m.Blocks, N: m.In, M: m.Out, W: m.W, inverse: in.Inverse()}
}

// In implements Step.
func (s *BlocksStep) In() Geom { return s.G }

// Forward implements Step.
func (s *BlocksStep) Forward(dst, src []float64, batch int, abs bool, w *Work) {
	wt := s.W
	if abs {
		s.absOnce.Do(func() { s.abs = absOf(s.W) })
		wt = s.abs
	}
	n := s.B * s.N
	if s.inverse != nil {
		plain := w.Get(batch * n)
		for b := range batch {
			from, to := src[b*n:(b+1)*n], plain[b*n:(b+1)*n]
			for i, k := range s.inverse {
				to[i] = from[k]
			}
		}
		src = plain
		defer w.Put(plain)
	}
	kernel.Gemm(false, true, batch*s.B, s.M, s.N, src, s.N, wt, s.N, dst, s.M, true, &w.pack.work)
}

// Back implements Step. A row mostly looks at few stretches: only those are multiplied.
func (s *BlocksStep) Back(src *Rows, live []int32, w *Work) *Rows {
	src = src.Expand(w)
	n := s.B * s.N
	out := &Rows{N: src.N, H: s.G.H, W: s.G.W, C: s.G.C, Full: s.G, Data: w.Zero(src.N * n)}
	var seen []int32 // stretches that are not zero, over all rows
	for k := range src.N * s.B {
		if !allZero(src.Data[k*s.M : (k+1)*s.M]) {
			seen = append(seen, int32(k))
		}
	}
	if len(seen) > 0 {
		from, to := w.Get(len(seen)*s.M), w.Get(len(seen)*s.N)
		for i, k := range seen {
			copy(from[i*s.M:(i+1)*s.M], src.Data[int(k)*s.M:])
		}
		kernel.Gemm(false, false, len(seen), s.N, s.M, from, s.M, s.W, s.N, to, s.N, false, &w.pack.work)
		for i, k := range seen {
			s.put(out.Data[int(k)/s.B*n:], int(k)%s.B, to[i*s.N:(i+1)*s.N])
		}
		w.Put(from)
		w.Put(to)
	}
	w.Put(src.Data)
	return out
}

// put writes a stretch of a row where the input's order has it.
func (s *BlocksStep) put(row []float64, block int, x []float64) {
	if s.inverse == nil {
		copy(row[block*s.N:], x)
		return
	}
	for j, v := range x {
		row[s.inverse[block*s.N+j]] = v
	}
}

func allZero(x []float64) bool {
	for _, v := range x {
		if v != 0 {
			return false
		}
	}
	return true
}

// Pick implements Step.
func (s *BlocksStep) Pick(index []int32, sign []float64, live []int32, w *Work) *Rows {
	n := s.B * s.N
	out := &Rows{N: len(index), H: s.G.H, W: s.G.W, C: s.G.C, Full: s.G, Data: w.Zero(len(index) * n)}
	x := w.Get(s.N)
	for r, i := range index {
		row := s.W[int(i)%s.M*s.N:][:s.N]
		for j, v := range row {
			x[j] = sign[r] * v
		}
		s.put(out.Data[r*n:(r+1)*n], int(i)/s.M, x)
	}
	w.Put(x)
	return out
}

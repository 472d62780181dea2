package affine

import "math"

// SparseStep is a sparse matrix in stored orders.
type SparseStep struct {
	G Geom
	M *Sparse
}

// In implements Step.
func (s *SparseStep) In() Geom { return s.G }

// Forward implements Step.
func (s *SparseStep) Forward(dst, src []float64, batch int, abs bool, w *Work) {
	m := s.M
	outs := len(m.Start) - 1
	for b := range batch {
		x, y := src[b*m.In:(b+1)*m.In], dst[b*outs:(b+1)*outs]
		for i := range outs {
			sum := 0.0
			for t := m.Start[i]; t < m.Start[i+1]; t++ {
				c := 1.0
				if m.Coef != nil {
					c = m.Coef[t]
					if abs {
						c = math.Abs(c)
					}
				}
				sum += c * x[m.Index[t]]
			}
			y[i] += sum
		}
	}
}

// Back implements Step.
func (s *SparseStep) Back(src *Rows, live []int32, w *Work) *Rows {
	src = src.Expand(w)
	m := s.M
	outs := len(m.Start) - 1
	out := &Rows{N: src.N, H: s.G.H, W: s.G.W, C: s.G.C, Full: s.G, Data: w.Zero(src.N * m.In)}
	for r := range src.N {
		x, y := src.Data[r*outs:(r+1)*outs], out.Data[r*m.In:(r+1)*m.In]
		for i, v := range x {
			if v == 0 {
				continue
			}
			for t := m.Start[i]; t < m.Start[i+1]; t++ {
				if m.Coef != nil {
					y[m.Index[t]] += v * m.Coef[t]
				} else {
					y[m.Index[t]] += v
				}
			}
		}
	}
	w.Put(src.Data)
	return out
}

// Pick implements Step.
func (s *SparseStep) Pick(index []int32, sign []float64, live []int32, w *Work) *Rows {
	m := s.M
	out := &Rows{N: len(index), H: s.G.H, W: s.G.W, C: s.G.C, Full: s.G, Data: w.Zero(len(index) * m.In)}
	for r, i := range index {
		y := out.Data[r*m.In : (r+1)*m.In]
		for t := m.Start[i]; t < m.Start[i+1]; t++ {
			c := sign[r]
			if m.Coef != nil {
				c *= m.Coef[t]
			}
			y[m.Index[t]] += c
		}
	}
	return out
}

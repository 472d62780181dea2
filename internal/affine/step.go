package affine

import "github.com/shallow-waters/shoal/internal/kernel"

// Step is a map made ready for bounds: its values are stored in the orders that the verifier chose.
//
// Forward adds A x (abs false) or |A| x (abs true) to dst for each of batch vectors stored one behind the other.
//
// Back carries rows over the output to rows over the input, r -> r A. It takes src over. live, if not nil, lists the input elements
// whose coefficients matter (the others are known to be zero in value); a step may use it to return compact rows.
//
// Pick returns rows sign[i] * (row index[i] of A); live as in Back.
type Step interface {
	Forward(dst, src []float64, batch int, abs bool, w *Work)
	Back(src *Rows, live []int32, w *Work) *Rows
	Pick(index []int32, sign []float64, live []int32, w *Work) *Rows
	// In is the geometry of the input value.
	In() Geom
}

type packBuffers struct{ work kernel.Work }

func addTo(dst, src []float64) { kernel.AddTo(dst, src) }

// SameStep is the identity.
type SameStep struct{ G Geom }

// In implements Step.
func (s *SameStep) In() Geom { return s.G }

// Forward implements Step.
func (s *SameStep) Forward(dst, src []float64, batch int, abs bool, w *Work) {
	addTo(dst[:batch*s.G.Len()], src[:batch*s.G.Len()])
}

// Back implements Step.
func (s *SameStep) Back(src *Rows, live []int32, w *Work) *Rows {
	if src.Index != nil {
		src = src.Expand(w)
	}
	return src.recast(s.G, w)
}

// Pick implements Step.
func (s *SameStep) Pick(index []int32, sign []float64, live []int32, w *Work) *Rows {
	return OneHot(s.G, index, sign, w)
}

// DiagStep scales every element.
type DiagStep struct {
	G      Geom
	D, Abs []float64
}

// NewDiagStep stores d, which is in the order of the values.
func NewDiagStep(g Geom, d []float64) *DiagStep {
	return &DiagStep{G: g, D: d, Abs: absOf(d)}
}

func absOf(d []float64) []float64 {
	a := make([]float64, len(d))
	for i, v := range d {
		if v < 0 {
			v = -v
		}
		a[i] = v
	}
	return a
}

// In implements Step.
func (s *DiagStep) In() Geom { return s.G }

// Forward implements Step.
func (s *DiagStep) Forward(dst, src []float64, batch int, abs bool, w *Work) {
	d := s.D
	if abs {
		d = s.Abs
	}
	n := len(d)
	for b := range batch {
		x, y := src[b*n:(b+1)*n], dst[b*n:(b+1)*n]
		for i, v := range d {
			y[i] += v * x[i]
		}
	}
}

// Back implements Step.
func (s *DiagStep) Back(src *Rows, live []int32, w *Work) *Rows {
	if src.Index != nil {
		src = src.Expand(w)
	}
	src = src.recast(s.G, w)
	for i := range src.N {
		row := src.Row(i)
		src.Run(i, func(off, at, n int) {
			d := s.D[at : at+n]
			r := row[off : off+n]
			for k, v := range d {
				r[k] *= v
			}
		})
	}
	return src
}

// Pick implements Step.
func (s *DiagStep) Pick(index []int32, sign []float64, live []int32, w *Work) *Rows {
	return s.Back(OneHot(s.G, index, sign, w), nil, w)
}

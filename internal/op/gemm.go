// gemm.go — Gemm, opset 7, 9, 11, 13: Y = alpha*op(A)*op(B) + beta*C.

package op

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/kernel"
	"github.com/shallow-waters/shoal/onnxio"
)

func init() {
	Register(Def{Name: "Gemm", Since: 7, Shape: gemmShape, Eval: gemmEval, Interval: gemmInterval, Linear: gemmLinear})
}

// gemmDims gives m, n, k and the transpositions.
func gemmDims(n *onnxio.Node, a, b []int) (m, cols, k int, ta, tb bool, err error) {
	ta, tb = n.Attrs.Int("transA", 0) != 0, n.Attrs.Int("transB", 0) != 0
	if len(a) != 2 || len(b) != 2 {
		return 0, 0, 0, ta, tb, fmt.Errorf("operands of shapes %v and %v are not matrices", a, b)
	}
	m, k = a[0], a[1]
	if ta {
		m, k = k, m
	}
	kb, cols := b[0], b[1]
	if tb {
		kb, cols = cols, kb
	}
	if k != kb {
		return 0, 0, 0, ta, tb, fmt.Errorf("operands of shapes %v and %v (transA %v, transB %v) do not fit", a, b, ta, tb)
	}
	return m, cols, k, ta, tb, nil
}

func gemmShape(n *onnxio.Node) ([]Type, error) {
	if err := needInputs(n, 2, 3); err != nil {
		return nil, err
	}
	m, cols, _, _, _, err := gemmDims(n, n.Input(0).Shape, n.Input(1).Shape)
	if err != nil {
		return nil, err
	}
	out := []int{m, cols}
	if c := n.Input(2); c != nil {
		if s, err := broadcastShape(c.Shape, out); err != nil || !equalInts(s, out) {
			return nil, fmt.Errorf("C of shape %v does not broadcast to %v", c.Shape, out)
		}
	}
	return []Type{{n.Input(0).DType, out}}, nil
}

func gemmEval(c *Call) error {
	switch a := c.In[0].Data.(type) {
	case []float32:
		return gemmRun(c, a)
	case []float64:
		return gemmRun(c, a)
	}
	return fmt.Errorf("operands of type %v where a float is needed", c.In[0].DType)
}

type gemmState struct {
	index []int32 // where each output finds its C
	shape []int
	work  kernel.Work
}

func gemmRun[T float32 | float64](c *Call, a []T) error {
	m, n, k, ta, tb, err := gemmDims(c.Node, c.In[0].Shape, c.In[1].Shape)
	if err != nil {
		return err
	}
	b, ok := c.In[1].Data.([]T)
	y, ok2 := c.Out[0].Data.([]T)
	if !ok || !ok2 {
		return fmt.Errorf("operands of types %v and %v", c.In[0].DType, c.In[1].DType)
	}
	s, _ := c.State.(*gemmState)
	if s == nil {
		s = &gemmState{}
		c.State = s
	}
	alpha, beta := T(c.Node.Attrs.Float("alpha", 1)), T(c.Node.Attrs.Float("beta", 1))
	lda, ldb := k, n
	if ta {
		lda = m
	}
	if tb {
		ldb = k
	}
	kernel.Gemm(ta, tb, m, n, k, a, lda, b, ldb, y, n, false, &s.work)
	if alpha != 1 {
		for i := range y {
			y[i] *= alpha
		}
	}
	if len(c.In) > 2 && c.In[2] != nil {
		bias, ok := c.In[2].Data.([]T)
		if !ok {
			return fmt.Errorf("C of type %v", c.In[2].DType)
		}
		if s.index == nil || !equalInts(s.shape, c.In[2].Shape) || len(s.index) != len(y) {
			s.index, s.shape = broadcastIndex(c.In[2].Shape, []int{m, n}), c.In[2].Shape
		}
		for i, j := range s.index {
			y[i] += beta * bias[j]
		}
	}
	return nil
}

// gemmLinear treats a constant B (or a constant A) and a constant C.
func gemmLinear(n *onnxio.Node) (*Linear, error) {
	m, cols, k, ta, tb, err := gemmDims(n, n.Input(0).Shape, n.Input(1).Shape)
	if err != nil {
		return nil, err
	}
	alpha := float64(n.Attrs.Float("alpha", 1))
	l := &Linear{Maps: make([]affine.Map, len(n.Inputs))}
	a, b := n.ConstInput(0), n.ConstInput(1)
	switch {
	case a == nil && b != nil:
		l.Maps[0], err = productMap(b, k, cols, tb, m, ta, alpha, l)
	case a != nil && b == nil:
		// y = A x with x a matrix: the transpose of y' = x' A'.
		l.Maps[1], err = leftMap(a, m, k, ta, cols, tb, alpha, l)
	default:
		return nil, fmt.Errorf("a product of two variables")
	}
	if err != nil {
		return nil, err
	}
	if c := n.Input(2); c != nil {
		beta := float64(n.Attrs.Float("beta", 1))
		if c.Const == nil {
			if beta != 1 {
				return nil, fmt.Errorf("a variable C with beta %v", beta)
			}
			l.Maps[2] = affine.Pick(product(c.Shape), broadcastIndex(c.Shape, []int{m, cols}))
			return l, nil
		}
		f, err := c.Const.Float64s()
		if err != nil {
			return nil, err
		}
		l.Bias = broadcastTo(f, c.Shape, []int{m, cols})
		if beta != 1 {
			l.Bias = append([]float64{}, l.Bias...)
			for i := range l.Bias {
				l.Bias[i] *= beta // a product of two float32s is exact in float64
			}
		}
	}
	return l, nil
}

// productMap is x -> op(x) W for x of m rows (or columns, with tx) and W of k x cols. alpha*W is exact for float32 weights;
// for float64 ones it is rounded once.
func productMap(w *onnxio.Tensor, k, cols int, tw bool, m int, tx bool, alpha float64, l *Linear) (affine.Map, error) {
	f, err := w.Float64s()
	if err != nil {
		return nil, err
	}
	if alpha != 1 && w.DType == onnxio.Double {
		l.RelErr += 0x1p-53
	}
	d := &affine.Dense{In: k, Out: cols, Blocks: m, W: make([]float64, k*cols)}
	for i := range cols {
		for j := range k {
			v := 0.0
			if tw {
				v = f[i*k+j]
			} else {
				v = f[j*cols+i]
			}
			d.W[i*k+j] = alpha * v
		}
	}
	if !tx || m == 1 {
		return d, nil
	}
	s := &affine.Sparse{In: m * k, Start: []int32{0}, Coef: []float64{}}
	for r := range m {
		for i := range cols {
			for j := range k {
				s.Index = append(s.Index, int32(j*m+r))
				s.Coef = append(s.Coef, d.W[i*k+j])
			}
			s.Start = append(s.Start, int32(len(s.Index)))
		}
	}
	return s, nil
}

// leftMap is x -> W op(x) for W of m x k and x of k x cols (stored transposed with tx).
func leftMap(w *onnxio.Tensor, m, k int, tw bool, cols int, tx bool, alpha float64, l *Linear) (affine.Map, error) {
	f, err := w.Float64s()
	if err != nil {
		return nil, err
	}
	if alpha != 1 && w.DType == onnxio.Double {
		l.RelErr += 0x1p-53
	}
	s := &affine.Sparse{In: k * cols, Start: []int32{0}, Coef: []float64{}}
	for i := range m {
		for c := range cols {
			for j := range k {
				v, at := f[i*k+j], j*cols+c
				if tw {
					v = f[j*m+i]
				}
				if tx {
					at = c*k + j
				}
				s.Index = append(s.Index, int32(at))
				s.Coef = append(s.Coef, alpha*v)
			}
			s.Start = append(s.Start, int32(len(s.Index)))
		}
	}
	return s, nil
}

// gemmInterval serves products of two variables; others are affine.
func gemmInterval(n *onnxio.Node, in []Box) ([]Box, error) {
	m, cols, k, ta, tb, err := gemmDims(n, n.Input(0).Shape, n.Input(1).Shape)
	if err != nil {
		return nil, err
	}
	alpha, beta := float64(n.Attrs.Float("alpha", 1)), float64(n.Attrs.Float("beta", 1))
	out := Box{make([]float64, m*cols), make([]float64, m*cols)}
	at := func(i, j int) (int, int) {
		a, b := i*k, j
		if ta {
			a = i
		}
		if tb {
			b = j * k
		}
		return a, b
	}
	sa, sb := 1, cols
	if ta {
		sa = m
	}
	if tb {
		sb = 1
	}
	for i := range m {
		for j := range cols {
			a, b := at(i, j)
			lo, up := boxDot(in[0], in[1], a, sa, b, sb, k)
			lo, up = scaleRange(lo, up, alpha)
			out.Lower[i*cols+j], out.Upper[i*cols+j] = lo, up
		}
	}
	if len(in) > 2 && n.Input(2) != nil {
		for i, j := range broadcastIndex(n.Input(2).Shape, []int{m, cols}) {
			lo, up := scaleRange(in[2].Lower[j], in[2].Upper[j], beta)
			out.Lower[i], out.Upper[i] = Down(out.Lower[i]+lo), Up(out.Upper[i]+up)
		}
	}
	return []Box{out}, nil
}

// boxDot bounds a product sum of two boxes' entries, rounding outward at every step.
func boxDot(a, b Box, ia, sa, ib, sb, k int) (lo, up float64) {
	for range k {
		p, q := a.Lower[ia], a.Upper[ia]
		r, s := b.Lower[ib], b.Upper[ib]
		w, x, y, z := p*r, p*s, q*r, q*s
		lo, up = Down(lo+Down(min(w, x, y, z))), Up(up+Up(max(w, x, y, z)))
		ia += sa
		ib += sb
	}
	return lo, up
}

func scaleRange(lo, up, by float64) (float64, float64) {
	if by == 1 {
		return lo, up
	}
	if by < 0 {
		lo, up = up, lo
	}
	return Down(lo * by), Up(up * by)
}

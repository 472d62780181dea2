// matmul.go — MatMul, opset 1, 9, 13: numpy's matmul, with batches broadcast.

package op

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/kernel"
	"github.com/shallow-waters/shoal/onnxio"
)

func init() {
	Register(Def{Name: "MatMul", Since: 1, Shape: matmulShape, Eval: matmulEval, Interval: matmulInterval, Linear: matmulLinear})
}

// matmulDims describes a stack of products: batch products of m x k by k x n; a and b give where each product's operands begin.
type matmulDims struct {
	m, n, k int
	batch   []int
	a, b    []int
	out     []int
}

func readMatmul(a, b []int) (*matmulDims, error) {
	if len(a) == 0 || len(b) == 0 {
		return nil, fmt.Errorf("operands of shapes %v and %v: scalars have no matrix product", a, b)
	}
	fa, fb := a, b
	if len(a) == 1 {
		fa = []int{1, a[0]}
	}
	if len(b) == 1 {
		fb = []int{b[0], 1}
	}
	d := &matmulDims{m: fa[len(fa)-2], k: fa[len(fa)-1], n: fb[len(fb)-1]}
	if fb[len(fb)-2] != d.k {
		return nil, fmt.Errorf("operands of shapes %v and %v do not fit", a, b)
	}
	ba, bb := fa[:len(fa)-2], fb[:len(fb)-2]
	batch, err := broadcastShape(ba, bb)
	if err != nil {
		return nil, fmt.Errorf("operands of shapes %v and %v: %w", a, b, err)
	}
	d.batch = batch
	for _, i := range broadcastIndex(ba, batch) {
		d.a = append(d.a, int(i)*d.m*d.k)
	}
	for _, i := range broadcastIndex(bb, batch) {
		d.b = append(d.b, int(i)*d.k*d.n)
	}
	d.out = append([]int{}, batch...)
	if len(a) > 1 {
		d.out = append(d.out, d.m)
	}
	if len(b) > 1 {
		d.out = append(d.out, d.n)
	}
	return d, nil
}

func matmulShape(n *onnxio.Node) ([]Type, error) {
	if err := needInputs(n, 2, 2); err != nil {
		return nil, err
	}
	d, err := readMatmul(n.Input(0).Shape, n.Input(1).Shape)
	if err != nil {
		return nil, err
	}
	return []Type{{n.Input(0).DType, d.out}}, nil
}

type matmulState struct {
	d    *matmulDims
	work kernel.Work
}

func matmulEval(c *Call) error {
	s, _ := c.State.(*matmulState)
	if s == nil {
		d, err := readMatmul(c.In[0].Shape, c.In[1].Shape)
		if err != nil {
			return err
		}
		s = &matmulState{d: d}
		c.State = s
	}
	switch a := c.In[0].Data.(type) {
	case []float32:
		return matmulRun(c, s, a)
	case []float64:
		return matmulRun(c, s, a)
	case []int64:
		return matmulInts(c, s, a)
	case []int32:
		return matmulInts(c, s, a)
	}
	return fmt.Errorf("operands of type %v", c.In[0].DType)
}

func matmulRun[T float32 | float64](c *Call, s *matmulState, a []T) error {
	b, ok := c.In[1].Data.([]T)
	y, ok2 := c.Out[0].Data.([]T)
	if !ok || !ok2 {
		return fmt.Errorf("operands of types %v and %v", c.In[0].DType, c.In[1].DType)
	}
	d := s.d
	for i := range d.a {
		kernel.Gemm(false, false, d.m, d.n, d.k, a[d.a[i]:], d.k, b[d.b[i]:], d.n, y[i*d.m*d.n:], d.n, false, &s.work)
	}
	return nil
}

func matmulInts[T int64 | int32](c *Call, s *matmulState, a []T) error {
	b, ok := c.In[1].Data.([]T)
	y, ok2 := c.Out[0].Data.([]T)
	if !ok || !ok2 {
		return fmt.Errorf("operands of types %v and %v", c.In[0].DType, c.In[1].DType)
	}
	d := s.d
	for i := range d.a {
		for r := range d.m {
			for j := range d.n {
				var sum T
				for p := range d.k {
					sum += a[d.a[i]+r*d.k+p] * b[d.b[i]+p*d.n+j]
				}
				y[(i*d.m+r)*d.n+j] = sum
			}
		}
	}
	return nil
}

func matmulLinear(n *onnxio.Node) (*Linear, error) {
	d, err := readMatmul(n.Input(0).Shape, n.Input(1).Shape)
	if err != nil {
		return nil, err
	}
	l := &Linear{Maps: make([]affine.Map, 2)}
	a, b := n.ConstInput(0), n.ConstInput(1)
	switch {
	case a == nil && b != nil && b.Len() == d.k*d.n:
		l.Maps[0], err = productMap(b, d.k, d.n, false, len(d.a)*d.m, false, 1, l)
	case a == nil && b != nil:
		l.Maps[0], err = d.sparse(b, false)
	case a != nil && b == nil:
		l.Maps[1], err = d.sparse(a, true)
	default:
		return nil, fmt.Errorf("a product of two variables")
	}
	return l, err
}

// sparse writes the map of the variable operand: the left one, or the right one if left is constant.
func (d *matmulDims) sparse(w *onnxio.Tensor, constLeft bool) (affine.Map, error) {
	f, err := w.Float64s()
	if err != nil {
		return nil, err
	}
	size := 0
	for i := range d.a {
		if constLeft {
			size = max(size, d.b[i]+d.k*d.n)
		} else {
			size = max(size, d.a[i]+d.m*d.k)
		}
	}
	s := &affine.Sparse{In: size, Start: []int32{0}, Coef: []float64{}}
	for i := range d.a {
		for r := range d.m {
			for j := range d.n {
				for p := range d.k {
					x, y := d.a[i]+r*d.k+p, d.b[i]+p*d.n+j
					if constLeft {
						x, y = y, x
					}
					s.Index = append(s.Index, int32(x))
					s.Coef = append(s.Coef, f[y])
				}
				s.Start = append(s.Start, int32(len(s.Index)))
			}
		}
	}
	return s, nil
}

func matmulInterval(n *onnxio.Node, in []Box) ([]Box, error) {
	d, err := readMatmul(n.Input(0).Shape, n.Input(1).Shape)
	if err != nil {
		return nil, err
	}
	size := len(d.a) * d.m * d.n
	out := Box{make([]float64, size), make([]float64, size)}
	for i := range d.a {
		for r := range d.m {
			for j := range d.n {
				at := (i*d.m+r)*d.n + j
				out.Lower[at], out.Upper[at] = boxDot(in[0], in[1], d.a[i]+r*d.k, 1, d.b[i]+j, d.n, d.k)
			}
		}
	}
	return []Box{out}, nil
}

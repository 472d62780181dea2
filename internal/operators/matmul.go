// matmul.go — MatMul, opset 1, 9, 13: numpy's matmul, with batches broadcast.

package operators

import (
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

var matMulOp = op.Def{Name: "MatMul", Since: 1, Wraps: op.WrapsExact,
	FeaturesLast: true, Shape: matmulShape, Eval: matmulEval, Fast: matmulFast, Gradient: matmulGradient,
	Interval: matmulInterval, Linear: matmulLinear, MACs: matmulMACs, Couple: coupleMatMul}

// matmulDims describes a stack of products of m x k by k x n: product i reads its operands from a[i] and b[i] on and writes
// out in order. Where the right operand is one matrix for all, the stack is joined into one product of more rows.
type matmulDims struct {
	m, n, k int
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
	d.out = append([]int{}, batch...)
	if len(a) > 1 {
		d.out = append(d.out, d.m)
	}
	if len(b) > 1 {
		d.out = append(d.out, d.n)
	}
	if err := checkSizes(d.out); err != nil {
		return nil, err
	}
	if product(bb) == 1 && product(ba) == product(batch) {
		d.m *= product(batch)
		d.a, d.b = []int{0}, []int{0}
		return d, nil
	}
	d.a, d.b = starts(ba, batch, d.m*d.k), starts(bb, batch, d.k*d.n)
	return d, nil
}

// starts lists where every matrix of a broadcast stack begins.
func starts(from, to []int, size int) []int {
	out := make([]int, product(to))
	index := broadcastIndex(from, to)
	for i := range out {
		out[i] = at(index, i) * size
	}
	return out
}

func matmulOf(n *onnxio.Node) (*matmulDims, error) {
	if err := needInputs(n, 2, 2); err != nil {
		return nil, err
	}
	a, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	b, err := shapeOf(n, 1)
	if err != nil {
		return nil, err
	}
	return readMatmul(a, b)
}

func matmulShape(n *onnxio.Node) ([]op.Type, error) {
	d, err := matmulOf(n)
	if err != nil {
		return nil, err
	}
	return []op.Type{{DType: n.Input(0).DType, Shape: d.out}}, nil
}

type matmulState struct {
	d    *matmulDims
	a, b []int // the shapes that d was made for
}

func matmulEval(c *op.Call) error {
	s, _ := c.State.(*matmulState)
	if s == nil {
		s = new(matmulState)
		c.State = s
	}
	if s.d == nil || !slices.Equal(s.a, c.In[0].Shape) || !slices.Equal(s.b, c.In[1].Shape) {
		d, err := readMatmul(c.In[0].Shape, c.In[1].Shape)
		if err != nil {
			return err
		}
		s.d, s.a, s.b = d, slices.Clone(c.In[0].Shape), slices.Clone(c.In[1].Shape)
	}
	switch a := c.In[0].Data.(type) {
	case []float32:
		return matmulRun(c, s, a)
	case []float64:
		return matmulRun(c, s, a)
	case []int64:
		return matmulInts(c, s.d, a)
	case []int32:
		return matmulInts(c, s.d, a)
	case []uint64:
		return matmulInts(c, s.d, a)
	case []uint32:
		return matmulInts(c, s.d, a)
	}
	return unsupportedType(c, "no matrix products of type %v", c.In[0].DType)
}

func matmulRun[T float32 | float64](c *op.Call, s *matmulState, a []T) error {
	d := s.d
	b, ok := c.In[1].Data.([]T)
	y, ok2 := c.Out[0].Data.([]T)
	if !ok || !ok2 || len(y) != len(d.a)*d.m*d.n {
		return fmt.Errorf("operands of types %v and %v", c.In[0].DType, c.In[1].DType)
	}
	g := gemmDims{m: d.m, n: d.n, k: d.k, ai: d.k, ap: 1, bp: d.n, bj: 1}
	size := d.m * d.n
	if size == 0 {
		return nil
	}
	for i := range d.a {
		product2(&g, a[d.a[i]:], b[d.b[i]:], y[i*size:(i+1)*size], false, &c.Work.Kernel)
	}
	return nil
}

func matmulInts[T int64 | int32 | uint64 | uint32](c *op.Call, d *matmulDims, a []T) error {
	b, ok := c.In[1].Data.([]T)
	y, ok2 := c.Out[0].Data.([]T)
	if !ok || !ok2 || len(y) != len(d.a)*d.m*d.n {
		return fmt.Errorf("operands of types %v and %v", c.In[0].DType, c.In[1].DType)
	}
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

// matmulLinear treats one constant and one variable operand: a full matrix where the constant stands on the right and
// is one for all, or multiplies single columns; else a sparse map. Products of two variables are relaxed (see dots).
func matmulLinear(n *onnxio.Node) (*op.Linear, error) {
	d, err := matmulOf(n)
	if err != nil {
		return nil, err
	}
	l := &op.Linear{Maps: make([]affine.Map, 2), Execution: op.Sums(0, 1, "sums of products in any order")}
	a, b := n.ConstInput(0), n.ConstInput(1)
	if a == nil && b == nil {
		return d.dots().linear(func(in []relax.Box) (relax.Box, error) {
			out, err := matmulInterval(n, in)
			if err != nil {
				return relax.Box{}, err
			}
			return out[0], nil
		}), nil
	}
	if a != nil && b != nil {
		return nil, op.Unsupported(n, "Linear", "a product of constants")
	}
	if b != nil {
		w, err := weights(n, 1)
		if err != nil {
			return nil, err
		}
		if len(d.a) == 1 {
			l.Maps[0] = &affine.Dense{In: d.k, Out: d.n, Blocks: d.m, W: arrange(w, d.n, d.k, 1, d.n)}
			return l, nil
		}
		l.Maps[0], err = sparseProduct(n, product(n.Inputs[0].Shape), len(d.a), d.m, d.n, d.k, func(i, r, j, p int) (int, float64) {
			return d.a[i] + r*d.k + p, w[d.b[i]+p*d.n+j]
		})
		return l, err
	}
	w, err := weights(n, 0)
	if err != nil {
		return nil, err
	}
	if d.n == 1 && len(w) == d.m*d.k && len(d.a)*d.k == product(n.Inputs[1].Shape) {
		l.Maps[1] = &affine.Dense{In: d.k, Out: d.m, Blocks: len(d.a), W: w}
		return l, nil
	}
	l.Maps[1], err = sparseProduct(n, product(n.Inputs[1].Shape), len(d.a), d.m, d.n, d.k, func(i, r, j, p int) (int, float64) {
		return d.b[i] + p*d.n + j, w[d.a[i]+r*d.k+p]
	})
	return l, err
}

// dots are the products of two variables as sums.
func (d *matmulDims) dots() *dots {
	return &dots{n: len(d.a) * d.m * d.n, k: d.k, at: func(i, p int) (int, int) {
		b, r, j := i/(d.m*d.n), i/d.n%d.m, i%d.n
		return d.a[b] + r*d.k + p, d.b[b] + p*d.n + j
	}}
}

// matmulInterval serves products of two variables; others are affine.
func matmulInterval(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
	d, err := matmulOf(n)
	if err != nil {
		return nil, err
	}
	out := relax.NewBox(len(d.a) * d.m * d.n)
	for i := range d.a {
		for r := range d.m {
			for j := range d.n {
				o := (i*d.m+r)*d.n + j
				out.Lower[o], out.Upper[o] = boxDot(in[0], in[1], d.a[i]+r*d.k, 1, d.b[i]+j, d.n, d.k)
			}
		}
	}
	return []relax.Box{out}, nil
}

func matmulMACs(n *onnxio.Node) int {
	x := n.Inputs[0].Shape
	return onnxio.NumElements(n.Outputs[0].Shape) * x[len(x)-1]
}

// gemm.go — Gemm, opset 7, 9, 11, 13: Y = alpha*op(A)*op(B) + beta*C.

package operators

import (
	"fmt"
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/kernel"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

var gemmOp = op.Def{Name: "Gemm", Since: 7, Wraps: op.WrapsExact, FeaturesLast: true,
	Attrs: op.Attributes{"alpha": op.AnyValue, "beta": op.AnyValue, "transA": op.Boolean, "transB": op.Boolean},
	Shape: gemmShape, Eval: gemmEval, Fast: gemmFast, Gradient: gemmGradient, Interval: gemmInterval, Linear: gemmLinear,
	MACs: gemmMACs, Couple: coupleGemm}

// gemmDims says how Gemm reads its operands: op(A) is m x k with A[i,p] at i*ai + p*ap, op(B) k x n with B[p,j] at
// p*bp + j*bj, and C[i,j] at i*ci + j*cj.
type gemmDims struct {
	m, n, k        int
	ta, tb         bool
	ai, ap, bp, bj int
	ci, cj         int
}

func readGemm(n *onnxio.Node, a, b, c []int) (*gemmDims, error) {
	if len(a) != 2 || len(b) != 2 {
		return nil, fmt.Errorf("operands of shapes %v and %v are not matrices", a, b)
	}
	d := &gemmDims{m: a[0], k: a[1], n: b[1], ai: a[1], ap: 1, bp: b[1], bj: 1}
	d.ta, d.tb = n.Attrs.Int("transA", 0) != 0, n.Attrs.Int("transB", 0) != 0
	kb := b[0]
	if d.ta {
		d.m, d.k, d.ai, d.ap = d.k, d.m, d.ap, d.ai
	}
	if d.tb {
		d.n, kb, d.bp, d.bj = kb, d.n, d.bj, d.bp
	}
	if d.k != kb {
		return nil, fmt.Errorf("operands of shapes %v and %v (transA %v, transB %v) do not fit", a, b, d.ta, d.tb)
	}
	if err := checkSizes([]int{d.m, d.n}); err != nil {
		return nil, err
	}
	if c != nil {
		out := []int{d.m, d.n}
		if s, err := broadcastShape(c, out); err != nil || !slices.Equal(s, out) {
			return nil, fmt.Errorf("operand C of shape %v does not broadcast to %v", c, out)
		}
		if len(c) > 0 && c[len(c)-1] != 1 {
			d.cj = 1
		}
		if len(c) == 2 && c[0] != 1 {
			d.ci = c[1]
		}
	}
	return d, nil
}

// gemmOf reads a node's operands from its values.
func gemmOf(n *onnxio.Node) (*gemmDims, error) {
	if err := needInputs(n, 2, 3); err != nil {
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
	var c []int
	if n.Input(2) != nil {
		if c, err = shapeOf(n, 2); err != nil {
			return nil, err
		}
	}
	return readGemm(n, a, b, c)
}

func gemmShape(n *onnxio.Node) ([]op.Type, error) {
	d, err := gemmOf(n)
	if err != nil {
		return nil, err
	}
	return []op.Type{{DType: n.Input(0).DType, Shape: []int{d.m, d.n}}}, nil
}

type gemmState struct {
	d       *gemmDims
	a, b, c []int // the shapes that d was made for
}

func (s *gemmState) read(call *op.Call) (err error) {
	a, b, c := call.In[0].Shape, call.In[1].Shape, []int(nil)
	if len(call.In) > 2 && call.In[2] != nil {
		c = call.In[2].Shape
	}
	if s.d != nil && slices.Equal(a, s.a) && slices.Equal(b, s.b) && slices.Equal(c, s.c) {
		return nil
	}
	if s.d, err = readGemm(call.Node, a, b, c); err == nil {
		s.a, s.b, s.c = slices.Clone(a), slices.Clone(b), slices.Clone(c)
	}
	return err
}

func gemmEval(c *op.Call) error {
	s, _ := c.State.(*gemmState)
	if s == nil {
		s = new(gemmState)
		c.State = s
	}
	if err := s.read(c); err != nil {
		return err
	}
	switch a := c.In[0].Data.(type) {
	case []float32:
		return gemmRun(c, s, a)
	case []float64:
		return gemmRun(c, s, a)
	}
	return unsupportedType(c, "operands of type %v where a float is needed", c.In[0].DType)
}

func gemmRun[T float32 | float64](c *op.Call, s *gemmState, a []T) error {
	d := s.d
	b, ok := c.In[1].Data.([]T)
	y, ok2 := c.Out[0].Data.([]T)
	if !ok || !ok2 || len(y) != d.m*d.n {
		return fmt.Errorf("operands of types %v and %v", c.In[0].DType, c.In[1].DType)
	}
	var add []T
	if len(c.In) > 2 && c.In[2] != nil {
		if add, ok = c.In[2].Data.([]T); !ok {
			return unsupportedType(c, "operand C of type %v", c.In[2].DType)
		}
	}
	alpha, beta := T(c.Node.Attrs.Float("alpha", 1)), T(c.Node.Attrs.Float("beta", 1))
	start := add != nil && alpha == 1
	if start {
		for i := range d.m {
			row := y[i*d.n : (i+1)*d.n]
			if beta == 1 && d.cj == 1 {
				copy(row, add[i*d.ci:])
				continue
			}
			for j := range row {
				row[j] = beta * add[i*d.ci+j*d.cj]
			}
		}
	}
	if len(y) == 0 {
		return nil
	}
	product2(d, a, b, y, start, &c.Work.Kernel)
	if alpha == 1 {
		return nil
	}
	for i := range d.m {
		row := y[i*d.n : (i+1)*d.n]
		for j := range row {
			v := alpha * row[j]
			if add != nil {
				v += beta * add[i*d.ci+j*d.cj]
			}
			row[j] = v
		}
	}
	return nil
}

// product2 is Y = op(A) op(B), or Y += with acc. One row goes through the matrix once as it lies.
func product2[T float32 | float64](d *gemmDims, a, b, y []T, acc bool, w *kernel.Work) {
	switch {
	case d.k == 0:
		if !acc {
			clear(y)
		}
	case d.m == 1 && d.tb:
		kernel.Gemv(false, d.n, d.k, b, d.k, a, y, acc)
	case d.m == 1:
		kernel.Gemv(true, d.k, d.n, b, d.n, a, y, acc)
	default:
		kernel.Gemm(d.ta, d.tb, d.m, d.n, d.k, a, max(d.ai, d.ap), b, max(d.bp, d.bj), y, d.n, acc, w)
	}
}

// gemmLinear treats one constant and one variable operand, with C either.
//
// alpha*w and beta*c are exact in float64 where both were float32 in the file; where they are not, RelErr holds their one
// rounding. Float32 executions round at most three times more than their sum of k products: the map's own count covers them.
func gemmLinear(n *onnxio.Node) (*op.Linear, error) {
	d, err := gemmOf(n)
	if err != nil {
		return nil, err
	}
	alpha, beta := float64(n.Attrs.Float("alpha", 1)), float64(n.Attrs.Float("beta", 1))
	l := &op.Linear{Maps: make([]affine.Map, len(n.Inputs)), Execution: op.Sums(3, max(unscaled(alpha), unscaled(beta)),
		"sums of products in any order")}
	a, b := n.ConstInput(0), n.ConstInput(1)
	switch {
	case a == nil && b == nil:
		return gemmBox(n, d, alpha, beta)
	case a != nil && b != nil:
		return nil, op.Unsupported(n, "Linear", "a product of constants")
	case b != nil:
		w, err := weights(n, 1)
		if err != nil {
			return nil, err
		}
		w = scaled(l, w, alpha)
		if !d.ta || d.m == 1 {
			l.Maps[0] = &affine.Dense{In: d.k, Out: d.n, Blocks: d.m, W: arrange(w, d.n, d.k, d.bj, d.bp)}
			break
		}
		l.Maps[0], err = sparseProduct(n, product(n.Inputs[0].Shape), 1, d.m, d.n, d.k, func(_, i, j, p int) (int, float64) {
			return i*d.ai + p*d.ap, w[p*d.bp+j*d.bj]
		})
		if err != nil {
			return nil, err
		}
	default:
		w, err := weights(n, 0)
		if err != nil {
			return nil, err
		}
		w = scaled(l, w, alpha)
		if d.n == 1 {
			l.Maps[1] = &affine.Dense{In: d.k, Out: d.m, Blocks: 1, W: arrange(w, d.m, d.k, d.ai, d.ap)}
			break
		}
		l.Maps[1], err = sparseProduct(n, product(n.Inputs[1].Shape), 1, d.m, d.n, d.k, func(_, i, j, p int) (int, float64) {
			return p*d.bp + j*d.bj, w[i*d.ai+p*d.ap]
		})
		if err != nil {
			return nil, err
		}
	}
	return l, addC(l, n, d, beta)
}

// addC adds beta*C: to the bias, or as a map.
func addC(l *op.Linear, n *onnxio.Node, d *gemmDims, beta float64) error {
	c := n.Input(2)
	if c == nil {
		return nil
	}
	out := []int{d.m, d.n}
	if c.Const == nil {
		l.Maps[2] = scaleMap(c.Shape, out, fill(d.m*d.n, beta))
		if beta == 1 {
			l.Maps[2] = broadcastMap(c.Shape, out, 1)
		}
		return nil
	}
	f, err := weights(n, 2)
	if err != nil {
		return err
	}
	l.Bias = broadcastTo(scaled(l, f, beta), c.Shape, out)
	return nil
}

// weights is a constant input as float64. Numbers that are not finite have no bounds.
func weights(n *onnxio.Node, i int) ([]float64, error) {
	w, err := n.ConstInput(i).Float64s()
	if err != nil {
		return nil, err
	}
	for _, v := range w {
		if !sound.Finite(v) {
			return nil, op.Unsupported(n, "Linear", fmt.Sprintf("input %d (%s) holds %v", i, n.Inputs[i].Name, v))
		}
	}
	return w, nil
}

// unscaled is how much larger than its share of the result a term may be before it is multiplied by the factor.
func unscaled(factor float64) float64 {
	if factor == 0 {
		return 1
	}
	return max(1, 1/math.Abs(factor))
}

// scaled multiplies w in place, and notes in RelErr where that was not exact.
func scaled(l *op.Linear, w []float64, by float64) []float64 {
	if by == 1 {
		return w
	}
	for i, v := range w {
		w[i] = by * v
		if float64(float32(v)) != v {
			l.RelErr = sound.Unit
		}
	}
	return w
}

// arrange copies a matrix into rows: out[i*cols+j] = w[i*si + j*sj].
func arrange(w []float64, rows, cols, si, sj int) []float64 {
	if sj == 1 && si == cols {
		return w
	}
	out := make([]float64, rows*cols)
	if si == 1 && sj == rows {
		kernel.Transpose(cols, rows, w, out)
		return out
	}
	for i := range rows {
		for j := range cols {
			out[i*cols+j] = w[i*si+j*sj]
		}
	}
	return out
}

// maxTerms bounds the entries of a sparse map: 1.5 GB.
const maxTerms = 1 << 27

// sparseProduct writes batch products of m x k by k x n, each entry as f(b, i, j, p): the variable's element and its
// coefficient in output (i, j) of product b.
func sparseProduct(n *onnxio.Node, in, batch, m, cols, k int, f func(b, i, j, p int) (int, float64)) (affine.Map, error) {
	if batch*m*cols > maxTerms/max(k, 1) {
		return nil, op.Unsupported(n, "Linear", fmt.Sprintf("more than %d coefficients", maxTerms))
	}
	s := &affine.Sparse{In: in, Start: make([]int32, 1, batch*m*cols+1), Index: make([]int32, 0, batch*m*cols*k),
		Coef: make([]float64, 0, batch*m*cols*k)}
	for b := range batch {
		for i := range m {
			for j := range cols {
				for p := range k {
					at, c := f(b, i, j, p)
					s.Index = append(s.Index, int32(at))
					s.Coef = append(s.Coef, c)
				}
				s.Start = append(s.Start, int32(len(s.Index)))
			}
		}
	}
	return s, nil
}

// gemmBox is the Linear face of a product of two variables, of which the box is known. An execution rounds k products and sums, and at most
// four times more for alpha, beta and C.
func gemmBox(n *onnxio.Node, d *gemmDims, alpha, beta float64) (*op.Linear, error) {
	return boxForms(gemmInterval, op.Within(0, 0, "sums of products in any order").Depending(func(in []relax.Box, out []float64) {
		for o := range out {
			i, j, sum := o/d.n, o%d.n, 0.0
			for p := range d.k {
				sum += in[0].Magnitude(i*d.ai+p*d.ap) * in[1].Magnitude(p*d.bp+j*d.bj)
			}
			sum *= max(1, math.Abs(alpha)) // also before it is scaled
			if n.Input(2) != nil {
				sum += math.Abs(beta) * in[2].Magnitude(i*d.ci+j*d.cj)
			}
			out[o] += sound.Sum32(d.k+6, sum)
		}
	}))(n)
}

// gemmInterval serves products of two variables; others are affine.
func gemmInterval(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
	d, err := gemmOf(n)
	if err != nil {
		return nil, err
	}
	alpha, beta := float64(n.Attrs.Float("alpha", 1)), float64(n.Attrs.Float("beta", 1))
	out := relax.NewBox(d.m * d.n)
	for i := range d.m {
		for j := range d.n {
			lo, up := boxDot(in[0], in[1], i*d.ai, d.ap, j*d.bj, d.bp, d.k)
			lo, up = relax.MulBounds(lo, up, alpha, alpha)
			if n.Input(2) != nil {
				at := i*d.ci + j*d.cj
				cl, cu := relax.MulBounds(in[2].Lower[at], in[2].Upper[at], beta, beta)
				lo, up = sound.AddDown(lo, cl), sound.AddUp(up, cu)
			}
			out.Lower[i*d.n+j], out.Upper[i*d.n+j] = lo, up
		}
	}
	return []relax.Box{out}, nil
}

// boxDot bounds sum_p a[ia+p*sa] * b[ib+p*sb] over two boxes. The k rounded products and sums are off by at most
// gamma_{k+1} times the sum of their magnitudes; where something is infinite, every step is rounded outward instead.
// Source: Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.1.
func boxDot(a, b relax.Box, ia, sa, ib, sb, k int) (lo, up float64) {
	mag := 0.0
	for p := range k {
		i, j := ia+p*sa, ib+p*sb
		w, x := a.Lower[i]*b.Lower[j], a.Lower[i]*b.Upper[j]
		y, z := a.Upper[i]*b.Lower[j], a.Upper[i]*b.Upper[j]
		l, u := min(w, x, y, z), max(w, x, y, z)
		lo += l
		up += u
		mag += max(-l, u)
	}
	if sound.Finite(mag) {
		// Subnormal products are off by an absolute 2^-1074 each.
		e := sound.Up(sound.Gamma(2*k+8)*mag) + float64(k)*0x1p-1073
		return sound.Down(lo - e), sound.Up(up + e)
	}
	lo, up = 0, 0
	for p := range k {
		i, j := ia+p*sa, ib+p*sb
		l, u := relax.MulBounds(a.Lower[i], a.Upper[i], b.Lower[j], b.Upper[j])
		lo, up = sound.AddDown(lo, l), sound.AddUp(up, u)
	}
	return lo, up
}

func fill(n int, v float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = v
	}
	return out
}

func gemmMACs(n *onnxio.Node) int {
	x, sum := n.Inputs[0].Shape, 1
	if n.Attrs.Int("transA", 0) != 0 {
		sum = 0
	}
	return onnxio.NumElements(n.Outputs[0].Shape) * x[sum]
}

// matmulinteger.go — MatMulInteger, opset 10: a matrix product of 8-bit integers less their zero points, in int32.

package operators

import (
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

var matMulIntegerOp = op.Def{Name: "MatMulInteger", Since: 10, Shape: integerShape(matmulIntegerSums), Eval: integerEval(matmulSumsOf),
	Interval: integerInterval(matmulIntegerSums), Linear: boxForms(integerInterval(matmulIntegerSums), op.Exact("exact")), MACs: matmulMACs,
	ZeroPoints: []int{2, 3}, Varies: saturates(0, 1, true), Couple: coupleMatMulInteger}

func matmulSumsOf(c *op.Call) (*integerSums, error) { return matmulSums(c.In[0].Shape, c.In[1].Shape) }

// integerShape is the Shape face of sums in int32: inputs a, b and their zero points.
func integerShape(read func(*onnxio.Node) (*integerSums, error)) func(*onnxio.Node) ([]op.Type, error) {
	return func(n *onnxio.Node) ([]op.Type, error) {
		if err := check8(n, 0, 1); err != nil {
			return nil, err
		}
		for i := range 2 {
			if _, err := shapeOf(n, i); err != nil {
				return nil, err
			}
		}
		s, err := read(n)
		if err != nil {
			return nil, err
		}
		if err := s.checkLines(n, 2, 3); err != nil {
			return nil, err
		}
		return []op.Type{{DType: onnxio.Int32, Shape: s.shape}}, nil
	}
}

// checkLines wants one entry or one for each row, and each column, in the named inputs.
func (s *integerSums) checkLines(n *onnxio.Node, a, b int) error {
	rows, cols := 1, 1
	for i := range s.n {
		rows, cols = max(rows, s.row(i)+1), max(cols, s.col(i)+1)
	}
	if err := checkLines8(n, a, rows); err != nil {
		return err
	}
	return checkLines8(n, b, cols)
}

// integerState keeps the geometry for one pair of shapes.
type integerState struct {
	s    *integerSums
	a, b []int
}

// integerGeometry is the sums' geometry, worked out once for shapes that stay; b is the number of the second operand.
func integerGeometry(c *op.Call, b int, read func(*op.Call) (*integerSums, error)) (*integerSums, error) {
	st, _ := c.State.(*integerState)
	if st != nil && slices.Equal(st.a, c.In[0].Shape) && slices.Equal(st.b, c.In[b].Shape) {
		return st.s, nil
	}
	s, err := read(c)
	if err == nil {
		c.State = &integerState{s, slices.Clone(c.In[0].Shape), slices.Clone(c.In[b].Shape)}
	}
	return s, err
}

func integerEval(read func(*op.Call) (*integerSums, error)) func(*op.Call) error {
	return func(c *op.Call) error {
		s, err := integerGeometry(c, 1, read)
		if err != nil {
			return err
		}
		za, zb := optional(c, 2), optional(c, 3)
		for i := range s.n {
			if err := setNumber(c.Out[0], i, float64(int32(s.sum(i, c.In[0], c.In[1], za, zb)))); err != nil {
				return err
			}
		}
		return nil
	}
}

// integerInterval bounds every sum.
func integerInterval(read func(*onnxio.Node) (*integerSums, error)) func(*onnxio.Node, []relax.Box) ([]relax.Box, error) {
	return func(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
		s, err := read(n)
		if err != nil {
			return nil, err
		}
		out := relax.NewBox(s.n)
		for i := range out.Lower {
			lo, up := s.bounds(i, in[0], in[1], boxOf(in, 2), boxOf(in, 3))
			out.Lower[i], out.Upper[i] = inInt32(lo, up)
		}
		return []relax.Box{out}, nil
	}
}

// inInt32 bounds what a sum in [lo, up] is in int32, where one that is beyond wraps around: "the accumulation may overflow if and only if in 32 bits"
// says the standard of MatMulInteger and QLinearMatMul, and onnxruntime 1.32.0 does so with every integer product, its bias included.
func inInt32(lo, up float64) (least, most float64) {
	if !(lo >= math.MinInt32 && up <= math.MaxInt32) {
		return math.MinInt32, math.MaxInt32
	}
	return lo, up
}

func matmulIntegerSums(n *onnxio.Node) (*integerSums, error) {
	return matmulSums(n.Inputs[0].Shape, n.Inputs[1].Shape)
}

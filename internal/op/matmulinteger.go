// matmulinteger.go — MatMulInteger, opset 10: a matrix product of 8-bit integers less their zero points, in int32.

package op

import (
	"math"
	"slices"

	"github.com/shallow-waters/shoal/onnxio"
)

func init() {
	read := func(n *onnxio.Node) (*integerSums, error) { return matmulSums(n.Inputs[0].Shape, n.Inputs[1].Shape) }
	Register(Def{Name: "MatMulInteger", Since: 10, Shape: integerShape(read), Eval: integerEval(matmulSumsOf),
		Interval: integerInterval(read), Linear: boxForms(integerInterval(read), Exact("exact"))})
}

func matmulSumsOf(c *Call) (*integerSums, error) { return matmulSums(c.In[0].Shape, c.In[1].Shape) }

// integerShape is the Shape face of sums in int32: inputs a, b and their zero points.
func integerShape(read func(*onnxio.Node) (*integerSums, error)) func(*onnxio.Node) ([]Type, error) {
	return func(n *onnxio.Node) ([]Type, error) {
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
		return []Type{{onnxio.Int32, s.shape}}, nil
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
func integerGeometry(c *Call, b int, read func(*Call) (*integerSums, error)) (*integerSums, error) {
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

func integerEval(read func(*Call) (*integerSums, error)) func(*Call) error {
	return func(c *Call) error {
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

// integerInterval bounds every sum; one that int32 might not hold could be any.
func integerInterval(read func(*onnxio.Node) (*integerSums, error)) func(*onnxio.Node, []Box) ([]Box, error) {
	return func(n *onnxio.Node, in []Box) ([]Box, error) {
		s, err := read(n)
		if err != nil {
			return nil, err
		}
		out := newBox(s.n)
		for i := range out.Lower {
			lo, up := s.bounds(i, in[0], in[1], boxOf(in, 2), boxOf(in, 3))
			if !(lo >= math.MinInt32 && up <= math.MaxInt32) {
				lo, up = math.MinInt32, math.MaxInt32
			}
			out.Lower[i], out.Upper[i] = lo, up
		}
		return []Box{out}, nil
	}
}

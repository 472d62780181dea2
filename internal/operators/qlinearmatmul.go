// qlinearmatmul.go — QLinearMatMul, opset 10, 21: a matrix product of quantized operands, quantized again.

package operators

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

var qLinearMatMulOp = op.Def{Name: "QLinearMatMul", Since: 10, Shape: qlinearShape(qlinearMatmulSums),
	Eval: qlinearEval(func(c *op.Call) (*integerSums, error) {
		return matmulSums(c.In[0].Shape, c.In[3].Shape)
	}), Interval: qlinearInterval(qlinearMatmulSums), Linear: boxForms(qlinearInterval(qlinearMatmulSums), op.Exact("exact")),
	MACs: matmulMACs, ZeroPoints: []int{2, 5, 7}, Varies: saturates(0, 3, true),
	Couple: coupleQLinearMatMul}

// qlinearShape is the Shape face of quantized sums: inputs a, its scale and zero point, b and its own, the output's, and a bias in int32 in
// units of both scales.
func qlinearShape(read func(*onnxio.Node) (*integerSums, error)) func(*onnxio.Node) ([]op.Type, error) {
	return func(n *onnxio.Node) ([]op.Type, error) {
		if err := needInputs(n, 8, 9); err != nil {
			return nil, err
		}
		for i := range 8 {
			if _, err := shapeOf(n, i); err != nil {
				return nil, err
			}
		}
		if err := check8(n, 0, 2, 3, 5, 7); err != nil {
			return nil, err
		}
		s, err := read(n)
		if err != nil {
			return nil, err
		}
		for _, pair := range [][2]int{{1, 4}, {2, 5}} {
			if err := s.checkLines(n, pair[0], pair[1]); err != nil {
				return nil, err
			}
		}
		if product(n.Inputs[6].Shape) != 1 || product(n.Inputs[7].Shape) != 1 {
			return nil, op.Unsupported(n, "", "an output of several scales")
		}
		if b := n.Input(8); b != nil && (b.DType != onnxio.Int32 || len(b.Shape) != 1 || b.Shape[0] != s.shape[1]) {
			return nil, fmt.Errorf("a bias of type %v and shape %v for an output of shape %v", b.DType, b.Shape, s.shape)
		}
		return []op.Type{{DType: n.Inputs[7].DType, Shape: s.shape}}, nil
	}
}

func qlinearEval(read func(*op.Call) (*integerSums, error)) func(*op.Call) error {
	return func(c *op.Call) error {
		s, err := integerGeometry(c, 3, read)
		if err != nil {
			return err
		}
		ys, yz := numberAt(c.In[6], 0), numberAt(c.In[7], 0)
		bias := optional(c, 8)
		for i := range s.n {
			sum := s.sum(i, c.In[0], c.In[3], c.In[2], c.In[5])
			if bias != nil {
				sum += int64(numberAt(bias, s.col(i)))
			}
			scale := lineAt(c.In[1], s.row(i), 1) * lineAt(c.In[4], s.col(i), 1) / ys
			if err := setNumber(c.Out[0], i, requantise(float64(int32(sum))*scale, yz, c.Out[0].DType)); err != nil {
				return err
			}
		}
		return nil
	}
}

func qlinearInterval(read func(*onnxio.Node) (*integerSums, error)) func(*onnxio.Node, []relax.Box) ([]relax.Box, error) {
	return func(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
		s, err := read(n)
		if err != nil {
			return nil, err
		}
		out := relax.NewBox(s.n)
		for i := range out.Lower {
			lo, up := s.bounds(i, in[0], in[3], in[2], in[5])
			if b := boxOf(in, 8); len(b.Lower) > 0 {
				lo, up = sound.AddDown(lo, b.Lower[s.col(i)]), sound.AddUp(up, b.Upper[s.col(i)])
			}
			lo, up = inInt32(lo, up)
			out.Lower[i], out.Upper[i] = requantised(lo, up, boxLine(in[1], s.row(i), 1), boxLine(in[4], s.col(i), 1),
				boxLine(in[6], 0, 1), boxLine(in[7], 0, 0),
				n.Inputs[7].DType)
		}
		return []relax.Box{out}, nil
	}
}

func qlinearMatmulSums(n *onnxio.Node) (*integerSums, error) {
	return matmulSums(n.Inputs[0].Shape, n.Inputs[3].Shape)
}

// qlinearmatmul.go — QLinearMatMul, opset 10, 21: a matrix product of quantized operands, quantized again.

package op

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

func init() {
	read := func(n *onnxio.Node) (*integerSums, error) { return matmulSums(n.Inputs[0].Shape, n.Inputs[3].Shape) }
	Register(Def{Name: "QLinearMatMul", Since: 10, Shape: qlinearShape(read), Eval: qlinearEval(func(c *Call) (*integerSums, error) {
		return matmulSums(c.In[0].Shape, c.In[3].Shape)
	}), Interval: qlinearInterval(read), Linear: boxForms(qlinearInterval(read), Exact("exact"))})
}

// qlinearShape is the Shape face of quantized sums: inputs a, its scale and zero point, b and its own, the output's, and a bias in int32 in
// units of both scales.
func qlinearShape(read func(*onnxio.Node) (*integerSums, error)) func(*onnxio.Node) ([]Type, error) {
	return func(n *onnxio.Node) ([]Type, error) {
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
			return nil, unsupported(n, "", "an output of several scales")
		}
		if b := n.Input(8); b != nil && (b.DType != onnxio.Int32 || len(b.Shape) != 1 || b.Shape[0] != s.shape[1]) {
			return nil, fmt.Errorf("a bias of type %v and shape %v for an output of shape %v", b.DType, b.Shape, s.shape)
		}
		return []Type{{n.Inputs[7].DType, s.shape}}, nil
	}
}

func qlinearEval(read func(*Call) (*integerSums, error)) func(*Call) error {
	return func(c *Call) error {
		s, err := integerGeometry(c, 3, read)
		if err != nil {
			return err
		}
		ys, yz := numberAt(c.In[6], 0), numberAt(c.In[7], 0)
		bias := optional(c, 8)
		for i := range s.n {
			sum := float64(s.sum(i, c.In[0], c.In[3], c.In[2], c.In[5]))
			if bias != nil {
				sum += numberAt(bias, s.col(i))
			}
			scale := lineAt(c.In[1], s.row(i), 1) * lineAt(c.In[4], s.col(i), 1) / ys
			if err := setNumber(c.Out[0], i, requantise(sum*scale, yz, c.Out[0].DType)); err != nil {
				return err
			}
		}
		return nil
	}
}

func qlinearInterval(read func(*onnxio.Node) (*integerSums, error)) func(*onnxio.Node, []Box) ([]Box, error) {
	return func(n *onnxio.Node, in []Box) ([]Box, error) {
		s, err := read(n)
		if err != nil {
			return nil, err
		}
		out := newBox(s.n)
		for i := range out.Lower {
			lo, up := s.bounds(i, in[0], in[3], in[2], in[5])
			if b := boxOf(in, 8); len(b.Lower) > 0 {
				lo, up = sound.AddDown(lo, b.Lower[s.col(i)]), sound.AddUp(up, b.Upper[s.col(i)])
			}
			out.Lower[i], out.Upper[i] = requantised(lo, up, boxLine(in[1], s.row(i), 1), boxLine(in[4], s.col(i), 1), boxLine(in[6], 0, 1), boxLine(in[7], 0, 0),
				n.Inputs[7].DType)
		}
		return []Box{out}, nil
	}
}

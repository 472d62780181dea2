// average_pool.go — AveragePool, opset 7, 10, 11, 19, 22, and GlobalAveragePool: the mean under a sliding window.

package op

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/onnxio"
)

func init() {
	Register(Def{Name: "AveragePool", Since: 7, Shape: averageShape, Eval: averageEval, Linear: averageLinear})
	Register(Def{Name: "GlobalAveragePool", Since: 1, Shape: globalShape, Eval: averageEval, Linear: averageLinear})
}

func averageShape(n *onnxio.Node) ([]Type, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	g, err := poolWindow(n, x)
	if err != nil {
		return nil, err
	}
	return []Type{{n.Input(0).DType, g.shape(g.c)}}, nil
}

// counts is the divisor of every output position: the elements seen, or with count_include_pad those of the padded input.
func (g *window) counts(includePad bool) []int {
	out := make([]int, g.oh*g.ow)
	for o := range out {
		n := 0
		if includePad {
			y0, x0 := o/g.ow*g.sh-g.top, o%g.ow*g.sw-g.left
			rows, cols := 0, 0
			for ky := range g.kh {
				if y0+ky*g.dh < g.h+g.bottom {
					rows++
				}
			}
			for kx := range g.kw {
				if x0+kx*g.dw < g.w+g.right {
					cols++
				}
			}
			n = rows * cols
		} else {
			g.each(o/g.ow, o%g.ow, func(_, _ int) { n++ })
		}
		out[o] = max(n, 1)
	}
	return out
}

type averageState struct {
	g      *window
	counts []int
}

func averageEval(c *Call) error {
	s, _ := c.State.(*averageState)
	if s == nil {
		g, err := poolWindow(c.Node, c.In[0].Shape)
		if err != nil {
			return err
		}
		s = &averageState{g, g.counts(c.Node.Attrs.Int("count_include_pad", 0) != 0)}
		c.State = s
	}
	switch x := c.In[0].Data.(type) {
	case []float32:
		averageRun(s, c.Out[0].Data.([]float32), x)
	case []float64:
		averageRun(s, c.Out[0].Data.([]float64), x)
	default:
		return fmt.Errorf("input of type %v where a float is needed", c.In[0].DType)
	}
	return nil
}

func averageRun[T float32 | float64](s *averageState, y, x []T) {
	g := s.g
	in, out := g.h*g.w, g.oh*g.ow
	for p := range g.n * g.c {
		plane := x[p*in : (p+1)*in]
		for o := range out {
			var sum T
			y0, x0 := o/g.ow*g.sh-g.top, o%g.ow*g.sw-g.left
			for ky := range g.kh {
				yy := y0 + ky*g.dh
				if yy < 0 || yy >= g.h {
					continue
				}
				for kx := range g.kw {
					xx := x0 + kx*g.dw
					if xx >= 0 && xx < g.w {
						sum += plane[yy*g.w+xx]
					}
				}
			}
			y[p*out+o] = sum / T(s.counts[o])
		}
	}
}

// averageLinear is a depthwise convolution where all divisors are equal, else a sparse map. 1/k is rounded once.
func averageLinear(n *onnxio.Node) (*Linear, error) {
	x := n.Input(0).Shape
	g, err := poolWindow(n, x)
	if err != nil {
		return nil, err
	}
	counts := g.counts(n.Attrs.Int("count_include_pad", 0) != 0)
	l := &Linear{Maps: make([]affine.Map, len(n.Inputs)), RelErr: 0x1p-53}
	uniform := g.n == 1 && n.Op == "AveragePool"
	for _, k := range counts {
		uniform = uniform && k == counts[0]
	}
	if uniform {
		m := &affine.Conv{C: g.c, H: g.h, W: g.w, M: g.c, OH: g.oh, OW: g.ow, KH: g.kh, KW: g.kw, StrideH: g.sh, StrideW: g.sw,
			DilationH: g.dh, DilationW: g.dw, PadTop: g.top, PadLeft: g.left, Groups: g.c, Weights: make([]float64, g.c*g.kh*g.kw)}
		for i := range m.Weights {
			m.Weights[i] = 1 / float64(counts[0])
		}
		l.Maps[0] = m
		return l, nil
	}
	s := &affine.Sparse{In: product(x), Start: []int32{0}, Coef: []float64{}}
	for p := range g.n * g.c {
		for o := range g.oh * g.ow {
			g.each(o/g.ow, o%g.ow, func(_, pos int) {
				s.Index = append(s.Index, int32(p*g.h*g.w+pos))
				s.Coef = append(s.Coef, 1/float64(counts[o]))
			})
			s.Start = append(s.Start, int32(len(s.Index)))
		}
	}
	l.Maps[0] = s
	return l, nil
}

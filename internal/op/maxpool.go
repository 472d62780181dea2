// maxpool.go — MaxPool, opset 1, 8, 10, 11, 12, 22, and GlobalMaxPool: the largest element under a sliding window.

package op

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/onnxio"
)

func init() {
	Register(Def{Name: "MaxPool", Since: 1, Shape: maxpoolShape, Eval: maxpoolEval, Interval: maxpoolInterval, Linear: maxpoolLinear})
	Register(Def{Name: "GlobalMaxPool", Since: 1, Shape: globalShape, Eval: maxpoolEval, Interval: maxpoolInterval, Linear: maxpoolLinear})
}

// poolWindow reads the geometry of a pooling operator; the global ones see the whole plane.
func poolWindow(n *onnxio.Node, x []int) (*window, error) {
	if n.Op == "GlobalMaxPool" || n.Op == "GlobalAveragePool" {
		if len(x) < 3 {
			return nil, fmt.Errorf("input of shape %v has no spatial dimensions", x)
		}
		area := product(x[2:])
		return &window{n: x[0], c: x[1], h: 1, w: area, oh: 1, ow: 1, kh: 1, kw: area, sh: 1, sw: 1, dh: 1, dw: 1}, nil
	}
	g, err := readWindow(n, x, nil)
	if err != nil {
		return nil, err
	}
	return g, g.slide(n)
}

func maxpoolShape(n *onnxio.Node) ([]Type, error) {
	if len(n.Outputs) > 1 && n.Outputs[1] != nil {
		return nil, fmt.Errorf("the Indices output is not supported")
	}
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

func globalShape(n *onnxio.Node) ([]Type, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	if len(x) < 3 {
		return nil, fmt.Errorf("input of shape %v has no spatial dimensions", x)
	}
	out := append([]int{}, x[:2]...)
	for range x[2:] {
		out = append(out, 1)
	}
	return []Type{{n.Input(0).DType, out}}, nil
}

func maxpoolEval(c *Call) error {
	g, _ := c.State.(*window)
	if g == nil {
		var err error
		if g, err = poolWindow(c.Node, c.In[0].Shape); err != nil {
			return err
		}
		c.State = g
	}
	switch x := c.In[0].Data.(type) {
	case []float32:
		maxpoolRun(g, c.Out[0].Data.([]float32), x, float32(math.Inf(-1)))
	case []float64:
		maxpoolRun(g, c.Out[0].Data.([]float64), x, math.Inf(-1))
	case []int8:
		maxpoolRun(g, c.Out[0].Data.([]int8), x, math.MinInt8)
	case []uint8:
		maxpoolRun(g, c.Out[0].Data.([]uint8), x, 0)
	default:
		return fmt.Errorf("input of type %v", c.In[0].DType)
	}
	return nil
}

func maxpoolRun[T float32 | float64 | int8 | uint8](g *window, y, x []T, least T) {
	in, out := g.h*g.w, g.oh*g.ow
	for p := range g.n * g.c {
		plane := x[p*in : (p+1)*in]
		for o := range out {
			best := least
			y0, x0 := o/g.ow*g.sh-g.top, o%g.ow*g.sw-g.left
			for ky := range g.kh {
				yy := y0 + ky*g.dh
				if yy < 0 || yy >= g.h {
					continue
				}
				for kx := range g.kw {
					xx := x0 + kx*g.dw
					if xx >= 0 && xx < g.w {
						best = max(best, plane[yy*g.w+xx])
					}
				}
			}
			y[p*out+o] = best
		}
	}
}

func maxpoolInterval(n *onnxio.Node, in []Box) ([]Box, error) {
	g, err := poolWindow(n, n.Input(0).Shape)
	if err != nil {
		return nil, err
	}
	size := g.n * g.c * g.oh * g.ow
	out := Box{make([]float64, size), make([]float64, size)}
	maxpoolRun(g, out.Lower, in[0].Lower, math.Inf(-1))
	maxpoolRun(g, out.Upper, in[0].Upper, math.Inf(-1))
	return []Box{out}, nil
}

// maxpoolLinear relaxes the maximum: exact where one input is never below the others; else from below the input whose lower bound is
// largest, from above the largest upper bound. Source: Singh et al. 2019 (DeepPoly), section 4.3.
func maxpoolLinear(n *onnxio.Node) (*Linear, error) {
	g, err := poolWindow(n, n.Input(0).Shape)
	if err != nil {
		return nil, err
	}
	l := &Linear{Relax: func(_ Slope, in []Box) (*Relaxation, error) { return maxForms(g, in[0]), nil }}
	if g.n == 1 && n.Op == "MaxPool" {
		l.Window = &Window{C: g.c, H: g.h, W: g.w, OH: g.oh, OW: g.ow, KH: g.kh, KW: g.kw, StrideH: g.sh, StrideW: g.sw,
			DilationH: g.dh, DilationW: g.dw, PadTop: g.top, PadLeft: g.left}
	}
	return l, nil
}

func maxForms(g *window, b Box) *Relaxation {
	size := g.n * g.c * g.oh * g.ow
	r := &Relaxation{}
	for _, f := range []*Forms{&r.Lower, &r.Upper} {
		f.Start = append(make([]int32, 0, size+1), 0)
		f.Const = make([]float64, size)
	}
	for i := range size {
		plane := i / (g.oh * g.ow) * g.h * g.w
		o := i % (g.oh * g.ow)
		best, top := -1, math.Inf(-1)
		g.each(o/g.ow, o%g.ow, func(_, pos int) {
			j := plane + pos
			top = max(top, b.Upper[j])
			if best < 0 || b.Lower[j] > b.Lower[best] {
				best = j
			}
		})
		alone := true
		g.each(o/g.ow, o%g.ow, func(_, pos int) {
			if j := plane + pos; j != best && b.Upper[j] > b.Lower[best] {
				alone = false
			}
		})
		add := func(f *Forms) {
			f.Index = append(f.Index, int32(best))
			f.Coef = append(f.Coef, 1)
		}
		add(&r.Lower)
		if alone {
			add(&r.Upper)
		} else {
			r.Upper.Const[i] = top
		}
		r.Lower.Start = append(r.Lower.Start, int32(len(r.Lower.Index)))
		r.Upper.Start = append(r.Upper.Start, int32(len(r.Upper.Index)))
	}
	return r
}

// conv.go — Conv, opset 1, 11, 22: cross-correlation over one or two spatial axes, grouped.

package op

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/kernel"
	"github.com/shallow-waters/shoal/onnxio"
)

func init() {
	Register(Def{Name: "Conv", Since: 1, Shape: convShape, Eval: convEval, Linear: convLinear})
}

// convWindow reads the geometry from the shapes of data and weights.
func convWindow(n *onnxio.Node, x, w []int) (*window, int, error) {
	if len(w) != len(x) || len(w) < 3 {
		return nil, 0, fmt.Errorf("weights of shape %v for input of shape %v", w, x)
	}
	g, err := readWindow(n, x, w[2:])
	if err != nil {
		return nil, 0, err
	}
	groups := n.Attrs.Int("group", 1)
	if groups < 1 || x[1]%groups != 0 || w[0]%groups != 0 || w[1]*groups != x[1] {
		return nil, 0, fmt.Errorf("weights of shape %v in %d groups for input of shape %v", w, groups, x)
	}
	return g, groups, g.slide(n)
}

func convShape(n *onnxio.Node) ([]Type, error) {
	if err := needInputs(n, 2, 3); err != nil {
		return nil, err
	}
	x, w := n.Input(0), n.Input(1)
	g, _, err := convWindow(n, x.Shape, w.Shape)
	if err != nil {
		return nil, err
	}
	if b := n.Input(2); b != nil && product(b.Shape) != w.Shape[0] {
		return nil, fmt.Errorf("bias of shape %v for %d output channels", b.Shape, w.Shape[0])
	}
	return []Type{{x.DType, g.shape(w.Shape[0])}}, nil
}

func convEval(c *Call) error {
	switch x := c.In[0].Data.(type) {
	case []float32:
		return convRun(c, x)
	case []float64:
		return convRun(c, x)
	}
	return fmt.Errorf("input of type %v where a float is needed", c.In[0].DType)
}

type convState struct {
	g      *window
	groups int
	work   kernel.Work
}

func convRun[T float32 | float64](c *Call, x []T) error {
	s, _ := c.State.(*convState)
	if s == nil {
		g, groups, err := convWindow(c.Node, c.In[0].Shape, c.In[1].Shape)
		if err != nil {
			return err
		}
		s = &convState{g: g, groups: groups}
		c.State = s
	}
	w, ok := c.In[1].Data.([]T)
	y, ok2 := c.Out[0].Data.([]T)
	if !ok || !ok2 {
		return fmt.Errorf("weights of type %v", c.In[1].DType)
	}
	var bias []T
	if len(c.In) > 2 && c.In[2] != nil {
		bias, _ = c.In[2].Data.([]T)
	}
	g := s.g
	m := c.In[1].Shape[0]
	cg, mg := g.c/s.groups, m/s.groups
	taps, area := g.kh*g.kw, g.oh*g.ow
	for b := range g.n {
		for k := range s.groups {
			xg := x[(b*g.c+k*cg)*g.h*g.w:][:cg*g.h*g.w]
			yg := y[(b*m+k*mg)*area:][:mg*area]
			for i := range mg {
				var v T
				if bias != nil {
					v = bias[k*mg+i]
				}
				row := yg[i*area : (i+1)*area]
				for j := range row {
					row[j] = v
				}
			}
			if cg == 1 && mg == 1 {
				depthwise(g, yg, xg, w[k*taps:(k+1)*taps])
				continue
			}
			cols := Scratch[T](c.Work, cg*taps*area)
			patchMatrix(g, cg, cols, xg)
			kernel.Gemm(false, false, mg, area, cg*taps, w[k*mg*cg*taps:], cg*taps, cols, area, yg, area, true, &s.work)
		}
	}
	return nil
}

// patchMatrix writes for every channel and tap a row of what the tap sees at every output position.
func patchMatrix[T float32 | float64](g *window, channels int, cols, x []T) {
	area := g.oh * g.ow
	at := 0
	for c := range channels {
		plane := x[c*g.h*g.w : (c+1)*g.h*g.w]
		for ky := range g.kh {
			for kx := range g.kw {
				row := cols[at : at+area]
				at += area
				for oy := range g.oh {
					line := row[oy*g.ow : (oy+1)*g.ow]
					y := oy*g.sh - g.top + ky*g.dh
					if y < 0 || y >= g.h {
						clear(line)
						continue
					}
					src := plane[y*g.w : (y+1)*g.w]
					xx := kx*g.dw - g.left
					for ox := range line {
						if xx >= 0 && xx < g.w {
							line[ox] = src[xx]
						} else {
							line[ox] = 0
						}
						xx += g.sw
					}
				}
			}
		}
	}
}

func depthwise[T float32 | float64](g *window, y, x, w []T) {
	for oy := range g.oh {
		for ky := range g.kh {
			iy := oy*g.sh - g.top + ky*g.dh
			if iy < 0 || iy >= g.h {
				continue
			}
			src := x[iy*g.w : (iy+1)*g.w]
			out := y[oy*g.ow : (oy+1)*g.ow]
			for kx := range g.kw {
				v := w[ky*g.kw+kx]
				ix := kx*g.dw - g.left
				for ox := range out {
					if ix >= 0 && ix < g.w {
						out[ox] += v * src[ix]
					}
					ix += g.sw
				}
			}
		}
	}
}

func convLinear(n *onnxio.Node) (*Linear, error) {
	w := n.ConstInput(1)
	if w == nil || n.ConstInput(0) != nil {
		return nil, fmt.Errorf("only constant weights can be verified")
	}
	g, groups, err := convWindow(n, n.Input(0).Shape, w.Shape)
	if err != nil {
		return nil, err
	}
	if g.n != 1 {
		return convBatch(n, g, groups, w)
	}
	l, err := convMap(n, g, groups, w)
	return l, err
}

func convMap(n *onnxio.Node, g *window, groups int, w *onnxio.Tensor) (*Linear, error) {
	f, err := w.Float64s()
	if err != nil {
		return nil, err
	}
	m := w.Shape[0]
	l := &Linear{Maps: []affine.Map{&affine.Conv{C: g.c, H: g.h, W: g.w, M: m, OH: g.oh, OW: g.ow, KH: g.kh, KW: g.kw,
		StrideH: g.sh, StrideW: g.sw, DilationH: g.dh, DilationW: g.dw, PadTop: g.top, PadLeft: g.left, Groups: groups, Weights: f}}}
	if n.Input(2) == nil {
		return l, nil
	}
	b := n.ConstInput(2)
	if b == nil {
		return nil, fmt.Errorf("only a constant bias can be verified")
	}
	bias, err := b.Float64s()
	if err != nil {
		return nil, err
	}
	l.Bias = make([]float64, m*g.oh*g.ow)
	for i := range l.Bias {
		l.Bias[i] = bias[i/(g.oh*g.ow)]
	}
	return l, nil
}

// convBatch writes a convolution of several images in one value as a sparse map.
func convBatch(n *onnxio.Node, g *window, groups int, w *onnxio.Tensor) (*Linear, error) {
	l, err := convMap(n, g, groups, w)
	if err != nil {
		return nil, err
	}
	f := l.Maps[0].(*affine.Conv).Weights
	m := w.Shape[0]
	cg, mg := g.c/groups, m/groups
	s := &affine.Sparse{In: g.n * g.c * g.h * g.w, Start: []int32{0}, Coef: []float64{}}
	for b := range g.n {
		for o := range m {
			for p := range g.oh * g.ow {
				for ch := range cg {
					plane := (b*g.c + o/mg*cg + ch) * g.h * g.w
					g.each(p/g.ow, p%g.ow, func(tap, pos int) {
						s.Index = append(s.Index, int32(plane+pos))
						s.Coef = append(s.Coef, f[(o*cg+ch)*g.kh*g.kw+tap])
					})
				}
				s.Start = append(s.Start, int32(len(s.Index)))
			}
		}
	}
	l.Maps[0] = s
	if l.Bias != nil {
		one := l.Bias
		l.Bias = nil
		for range g.n {
			l.Bias = append(l.Bias, one...)
		}
	}
	return l, nil
}

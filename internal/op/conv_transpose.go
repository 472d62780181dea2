// conv_transpose.go — ConvTranspose, opset 1, 11, 22: the adjoint of Conv over one or two spatial axes, grouped.

package op

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/kernel"
	"github.com/shallow-waters/shoal/onnxio"
)

func init() {
	Register(Def{Name: "ConvTranspose", Since: 1, Shape: convTransposeShape, Eval: convTransposeEval, Linear: convTransposeLinear})
}

// transposeWindow gives the geometry of the Conv whose adjoint this is: its input is our output. g.h, g.w are our output's
// size and g.oh, g.ow our input's.
func transposeWindow(n *onnxio.Node, x, w []int) (*window, int, int, error) {
	if len(w) != len(x) || len(w) < 3 {
		return nil, 0, 0, fmt.Errorf("weights of shape %v for input of shape %v", w, x)
	}
	g, err := readWindow(n, x, w[2:])
	if err != nil {
		return nil, 0, 0, err
	}
	groups := n.Attrs.Int("group", 1)
	if groups < 1 || x[1]%groups != 0 || w[0] != x[1] {
		return nil, 0, 0, fmt.Errorf("weights of shape %v in %d groups for input of shape %v", w, groups, x)
	}
	dims := len(x) - 2
	extra := n.Attrs.Ints("output_padding")
	if extra == nil {
		extra = make([]int, dims)
	}
	want := n.Attrs.Ints("output_shape")
	if want != nil && len(want) == dims+2 {
		want = want[2:]
	}
	if len(extra) != dims || want != nil && len(want) != dims {
		return nil, 0, 0, fmt.Errorf("output_padding %v, output_shape %v for %d spatial dimensions", extra, want, dims)
	}
	auto := n.Attrs.String("auto_pad", "NOTSET")
	size := func(axis, in, k, s, d int, a, b *int) (int, error) {
		full := (in-1)*s + extra[axis] + (k-1)*d + 1
		out := full - *a - *b
		switch {
		case want != nil:
			out = want[axis]
		case auto == "SAME_UPPER" || auto == "SAME_LOWER":
			out = in * s
		case auto == "VALID":
			*a, *b = 0, 0
			out = full
		}
		if want != nil || auto == "SAME_UPPER" || auto == "SAME_LOWER" {
			total := max(0, full-out)
			*a, *b = total-total/2, total/2
			if auto == "SAME_UPPER" {
				*a, *b = total/2, total-total/2
			}
		}
		if out < 1 || out > 1<<24 || extra[axis] < 0 {
			return 0, fmt.Errorf("an output of size %d", out)
		}
		return out, nil
	}
	g.oh, g.ow = g.h, g.w
	if g.w, err = size(dims-1, g.ow, g.kw, g.sw, g.dw, &g.left, &g.right); err != nil {
		return nil, 0, 0, err
	}
	if dims == 2 {
		if g.h, err = size(0, g.oh, g.kh, g.sh, g.dh, &g.top, &g.bottom); err != nil {
			return nil, 0, 0, err
		}
	}
	return g, groups, w[1] * groups, nil
}

func convTransposeShape(n *onnxio.Node) ([]Type, error) {
	if err := needInputs(n, 2, 3); err != nil {
		return nil, err
	}
	g, _, m, err := transposeWindow(n, n.Input(0).Shape, n.Input(1).Shape)
	if err != nil {
		return nil, err
	}
	if b := n.Input(2); b != nil && product(b.Shape) != m {
		return nil, fmt.Errorf("bias of shape %v for %d output channels", b.Shape, m)
	}
	shape := []int{g.n, m, g.h, g.w}
	if g.oneD {
		shape = []int{g.n, m, g.w}
	}
	return []Type{{n.Input(0).DType, shape}}, nil
}

func convTransposeEval(c *Call) error {
	switch x := c.In[0].Data.(type) {
	case []float32:
		return convTransposeRun(c, x)
	case []float64:
		return convTransposeRun(c, x)
	}
	return fmt.Errorf("input of type %v where a float is needed", c.In[0].DType)
}

type transposeState struct {
	g         *window
	groups, m int
	work      kernel.Work
}

func convTransposeRun[T float32 | float64](c *Call, x []T) error {
	s, _ := c.State.(*transposeState)
	if s == nil {
		g, groups, m, err := transposeWindow(c.Node, c.In[0].Shape, c.In[1].Shape)
		if err != nil {
			return err
		}
		s = &transposeState{g: g, groups: groups, m: m}
		c.State = s
	}
	w, ok := c.In[1].Data.([]T)
	y, ok2 := c.Out[0].Data.([]T)
	if !ok || !ok2 {
		return fmt.Errorf("weights of type %v", c.In[1].DType)
	}
	g := s.g
	cg, mg := g.c/s.groups, s.m/s.groups
	taps, in, out := g.kh*g.kw, g.oh*g.ow, g.h*g.w
	clear(y)
	if len(c.In) > 2 && c.In[2] != nil {
		bias := c.In[2].Data.([]T)
		for i := range y {
			y[i] = bias[i/out%s.m]
		}
	}
	for b := range g.n {
		for k := range s.groups {
			xg := x[(b*g.c+k*cg)*in:][:cg*in]
			yg := y[(b*s.m+k*mg)*out:][:mg*out]
			cols := Scratch[T](c.Work, mg*taps*in)
			kernel.Gemm(true, false, mg*taps, in, cg, w[k*cg*mg*taps:], mg*taps, xg, in, cols, in, false, &s.work)
			for m := range mg {
				plane := yg[m*out : (m+1)*out]
				for p := range in {
					g.each(p/g.ow, p%g.ow, func(tap, pos int) { plane[pos] += cols[(m*taps+tap)*in+p] })
				}
			}
		}
	}
	return nil
}

func convTransposeLinear(n *onnxio.Node) (*Linear, error) {
	w := n.ConstInput(1)
	if w == nil || n.ConstInput(0) != nil || n.Input(2) != nil && n.ConstInput(2) == nil {
		return nil, fmt.Errorf("only constant weights can be verified")
	}
	g, groups, m, err := transposeWindow(n, n.Input(0).Shape, w.Shape)
	if err != nil {
		return nil, err
	}
	f, err := w.Float64s()
	if err != nil {
		return nil, err
	}
	cg, mg := g.c/groups, m/groups
	taps, in, out := g.kh*g.kw, g.oh*g.ow, g.h*g.w
	// Which (input position, tap) reach an output position, found by walking the adjoint.
	type hit struct{ p, tap int32 }
	hits := make([][]hit, out)
	for p := range in {
		g.each(p/g.ow, p%g.ow, func(tap, pos int) { hits[pos] = append(hits[pos], hit{int32(p), int32(tap)}) })
	}
	s := &affine.Sparse{In: g.n * g.c * in, Start: []int32{0}, Coef: []float64{}}
	for b := range g.n {
		for o := range m {
			k, mo := o/mg, o%mg
			for pos := range out {
				for ch := range cg {
					for _, h := range hits[pos] {
						s.Index = append(s.Index, int32((b*g.c+k*cg+ch)*in)+h.p)
						s.Coef = append(s.Coef, f[((k*cg+ch)*mg+mo)*taps+int(h.tap)])
					}
				}
				s.Start = append(s.Start, int32(len(s.Index)))
			}
		}
	}
	l := &Linear{Maps: []affine.Map{s}}
	if b := n.ConstInput(2); b != nil {
		bias, err := b.Float64s()
		if err != nil {
			return nil, err
		}
		l.Bias = make([]float64, g.n*m*out)
		for i := range l.Bias {
			l.Bias[i] = bias[i/out%m]
		}
	}
	return l, nil
}

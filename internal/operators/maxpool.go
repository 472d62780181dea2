// maxpool.go — MaxPool, opset 1, 8 (indices), 10 (ceil_mode, dilations), 11, 12, 22, and GlobalMaxPool, opset 1, 22: the largest
// element under a sliding window.

package operators

import (
	"fmt"
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

var maxPoolOp = op.Def{Name: "MaxPool", Since: 1, Zero: op.ZeroKept,
	Attrs:   windowed.With(op.Attributes{"ceil_mode": op.Boolean, "storage_order": op.Boolean}),
	Departs: poolDeparts, Parts: poolParts, Whole: flatWindow,
	Shape: maxpoolShape, Eval: maxpoolEval, Fast: maxpoolFast, Gradient: maxpoolGradient, Interval: maxpoolInterval, Linear: maxpoolLinear,
	Hinges: maxpoolHinges, Couple: coupleImage}

var globalMaxPoolOp = op.Def{Name: "GlobalMaxPool", Since: 1, Zero: op.ZeroKept, Shape: globalShape, Eval: maxpoolEval, Fast: maxpoolFast,
	Gradient: globalMaxGradient, Interval: maxpoolInterval, Linear: maxpoolLinear, Hinges: maxpoolHinges, Couple: coupleImage}

// poolWindow reads the geometry of a pooling operator; the global ones see the whole image.
func poolWindow(n *onnxio.Node, x []int) (*window, error) {
	if n.Op == "GlobalMaxPool" || n.Op == "GlobalAveragePool" {
		if len(x) < 3 || product(x[2:]) == 0 {
			return nil, fmt.Errorf("input of shape %v has nothing to pool", x)
		}
		h, w := product(x[2:len(x)-1]), x[len(x)-1]
		return &window{n: x[0], c: x[1], h: h, w: w, oh: 1, ow: 1, kh: h, kw: w, sh: 1, sw: 1, dh: 1, dw: 1}, nil
	}
	g, err := readWindow(n, x, nil)
	if err != nil {
		return nil, err
	}
	if err := g.slide(n); err != nil {
		return nil, err
	}
	if (n.Op != "AveragePool" || !includesPads(n)) && g.barren() {
		return nil, op.Unsupported(n, "", "a window lies in the padding altogether: there is nothing to pool")
	}
	return g, checkSizes(g.shape(g.c))
}

// poolOf is poolWindow of a node's own input.
func poolOf(n *onnxio.Node) (*window, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	return poolWindow(n, x)
}

// poolState keeps the windows of one input shape from run to run.
type poolState struct {
	g      *window
	shape  []int
	counts []int // what means divide by
}

func (s *poolState) read(c *op.Call) (err error) {
	if s.g != nil && slices.Equal(s.shape, c.In[0].Shape) {
		return nil
	}
	if s.g, err = poolWindow(c.Node, c.In[0].Shape); err == nil {
		s.shape, s.counts = slices.Clone(c.In[0].Shape), nil
	}
	return err
}

func maxpoolShape(n *onnxio.Node) ([]op.Type, error) {
	g, err := poolOf(n)
	if err != nil {
		return nil, err
	}
	return []op.Type{{DType: n.Input(0).DType, Shape: g.shape(g.c)}, {DType: onnxio.Int64, Shape: g.shape(g.c)}}, nil
}

func globalShape(n *onnxio.Node) ([]op.Type, error) {
	if _, err := poolOf(n); err != nil {
		return nil, err
	}
	x := n.Input(0)
	out := append([]int{}, x.Shape[:2]...)
	for range x.Shape[2:] {
		out = append(out, 1)
	}
	return []op.Type{{DType: x.DType, Shape: out}}, nil
}

func maxpoolEval(c *op.Call) error {
	s, _ := c.State.(*poolState)
	if s == nil {
		s = new(poolState)
		c.State = s
	}
	if err := s.read(c); err != nil {
		return err
	}
	if len(c.Out) > 1 && c.Out[1] != nil {
		switch x := c.In[0].Data.(type) {
		case []float32:
			return maxpoolIndices(c, s.g, x)
		case []float64:
			return maxpoolIndices(c, s.g, x)
		case []int8:
			return maxpoolIndices(c, s.g, x)
		case []uint8:
			return maxpoolIndices(c, s.g, x)
		}
	}
	switch x := c.In[0].Data.(type) {
	case []float32:
		return maxpoolRun(s.g, c.Out[0].Data, x)
	case []float64:
		return maxpoolRun(s.g, c.Out[0].Data, x)
	case []int8:
		return maxpoolRun(s.g, c.Out[0].Data, x)
	case []uint8:
		return maxpoolRun(s.g, c.Out[0].Data, x)
	}
	return unsupportedType(c, "no maxima of type %v", c.In[0].DType)
}

func maxpoolRun[T float32 | float64 | int8 | uint8](g *window, out any, x []T) error {
	y, ok := out.([]T)
	if !ok || len(y) != g.n*g.c*g.oh*g.ow {
		return fmt.Errorf("cannot pool %T into %T", x, out)
	}
	if g.kh == 2 && g.kw == 2 && g.sh == 2 && g.sw == 2 && g.dh == 1 && g.dw == 1 && g.top+g.left == 0 && 2*g.oh <= g.h && 2*g.ow <= g.w {
		for p := range g.n * g.c {
			for oy := range g.oh {
				a := x[(p*g.h+2*oy)*g.w:][:2*g.ow]
				b := x[(p*g.h+2*oy+1)*g.w:][:2*g.ow]
				for i, line := 0, y[(p*g.oh+oy)*g.ow:][:g.ow]; i < len(line); i++ {
					line[i] = max(a[2*i], a[2*i+1], b[2*i], b[2*i+1])
				}
			}
		}
		return nil
	}
	i := 0
	for p := range g.n * g.c {
		plane := x[p*g.h*g.w : (p+1)*g.h*g.w]
		for oy := range g.oh {
			ya, yb, y0 := inside(oy*g.sh-g.top, g.kh, g.dh, g.h)
			for ox := range g.ow {
				xa, xb, x0 := inside(ox*g.sw-g.left, g.kw, g.dw, g.w)
				best := plane[(y0+ya*g.dh)*g.w+x0+xa*g.dw]
				for ky := ya; ky < yb; ky++ {
					line := (y0+ky*g.dh)*g.w + x0
					if g.dw == 1 {
						for _, v := range plane[line+xa : line+xb] {
							if v > best || v != v {
								best = v
							}
						}
						continue
					}
					for kx := xa; kx < xb; kx++ {
						best = max(best, plane[line+kx*g.dw])
					}
				}
				y[i] = best
				i++
			}
		}
	}
	return nil
}

// maxpoolIndices also says where each maximum stands (of equals, the first): counted over the whole tensor, or with
// storage_order 1 column by column within its image.
func maxpoolIndices[T float32 | float64 | int8 | uint8](c *op.Call, g *window, x []T) error {
	var y []T
	if c.Out[0] != nil {
		if err := maxpoolRun(g, c.Out[0].Data, x); err != nil {
			return err
		}
		y = c.Out[0].Data.([]T)
	}
	index := c.Out[1].I64()
	if len(index) != g.n*g.c*g.oh*g.ow {
		return unsupportedType(c, "indices of type %v", c.Out[1].DType)
	}
	columns := c.Node.Attrs.Int("storage_order", 0) != 0
	for i := range index {
		p, o := i/(g.oh*g.ow), i%(g.oh*g.ow)
		plane := x[p*g.h*g.w : (p+1)*g.h*g.w]
		ya, yb, y0 := inside(o/g.ow*g.sh-g.top, g.kh, g.dh, g.h)
		xa, xb, x0 := inside(o%g.ow*g.sw-g.left, g.kw, g.dw, g.w)
		at := (y0+ya*g.dh)*g.w + x0 + xa*g.dw
		for ky := ya; ky < yb; ky++ {
			for kx := xa; kx < xb; kx++ {
				if j := (y0+ky*g.dh)*g.w + x0 + kx*g.dw; plane[j] > plane[at] {
					at = j
				}
			}
		}
		if y != nil && y[i] == y[i] {
			y[i] = plane[at]
		}
		if columns {
			at = at%g.w*g.h + at/g.w
		}
		index[i] = int64(p*g.h*g.w + at)
	}
	return nil
}

// maxpoolOf is poolOf for bounds, which know nothing of indices.
func maxpoolOf(n *onnxio.Node, face string) (*window, error) {
	if len(n.Outputs) > 1 && n.Outputs[1] != nil {
		return nil, op.Unsupported(n, face, "the indices are read")
	}
	return poolOf(n)
}

// maxpoolInterval is exact: the maximum of all lower and of all upper ends.
func maxpoolInterval(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
	g, err := maxpoolOf(n, "Interval")
	if err != nil {
		return nil, err
	}
	out := relax.NewBox(g.n * g.c * g.oh * g.ow)
	if err := maxpoolRun(g, out.Lower, in[0].Lower); err != nil {
		return nil, err
	}
	return []relax.Box{out}, maxpoolRun(g, out.Upper, in[0].Upper)
}

// maxpoolLinear relaxes the maximum, see relaxWindows. The images of a batch are channels to it.
func maxpoolLinear(n *onnxio.Node) (*op.Linear, error) {
	g, err := maxpoolOf(n, "Linear")
	if err != nil {
		return nil, err
	}
	return &op.Linear{
		Execution: op.Exact("exact"),
		Relax:     func(_ relax.Slope, in []relax.Box) (*relax.Relaxation, error) { return relaxWindows(g, in[0]) },
		Window: &op.Window{C: g.n * g.c, H: g.h, W: g.w, OH: g.oh, OW: g.ow, KH: g.kh, KW: g.kw, StrideH: g.sh, StrideW: g.sw,
			DilationH: g.dh, DilationW: g.dw, PadTop: g.top, PadLeft: g.left},
	}, nil
}

// relaxWindows bounds the maximum under every window: below by the element whose lower end is largest (of equals, the one with the largest
// upper end); above by that element if no other can exceed it, else by the chord that overTop tells.
// Source: Singh et al. 2019 (DeepPoly), section 4.3, which takes the largest upper end where there is a chord here.
func relaxWindows(g *window, b relax.Box) (*relax.Relaxation, error) {
	size := g.n * g.c * g.oh * g.ow
	below, above := relax.NewForms(size, 1), relax.NewForms(size, 1)
	for i := range size {
		plane, o := i/(g.oh*g.ow)*g.h*g.w, i%(g.oh*g.ow)
		ya, yb, y0 := inside(o/g.ow*g.sh-g.top, g.kh, g.dh, g.h)
		xa, xb, x0 := inside(o%g.ow*g.sw-g.left, g.kw, g.dw, g.w)
		best, top, second := -1, -1, math.Inf(-1) // second: the largest upper end but top's
		for ky := ya; ky < yb; ky++ {
			for kx := xa; kx < xb; kx++ {
				j := plane + (y0+ky*g.dh)*g.w + x0 + kx*g.dw
				l, u := b.Lower[j], b.Upper[j]
				if math.IsNaN(l) || math.IsNaN(u) {
					return nil, fmt.Errorf("element %d has a bound that is not a number", j)
				}
				if best < 0 {
					best, top = j, j
					continue
				}
				if l > b.Lower[best] || l == b.Lower[best] && u > b.Upper[best] {
					best = j
				}
				if u > b.Upper[top] {
					top, second = j, b.Upper[top]
				} else {
					second = max(second, u)
				}
			}
		}
		below.Add(0, best, 1)
		below.Close(0)
		k, c := overTop(b.Lower[top], b.Upper[top], second)
		if k != 0 {
			above.Add(0, top, k)
		}
		above.Close(c)
	}
	below.Input, above.Input = nil, nil
	return &relax.Relaxation{Lower: *below, Upper: *above}, nil
}

// average_pool.go — AveragePool, opset 7, 10, 11, 19, 22, and GlobalAveragePool: the mean under a sliding window.

package operators

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

var averagePoolOp = op.Def{Name: "AveragePool", Since: 7, Zero: op.ZeroKept,
	Attrs: windowed.With(op.Attributes{"ceil_mode": op.Boolean, "count_include_pad": op.Boolean}),
	// runtimes divide the sum of a whole box, which may overflow where means of planes do not
	Departs: poolDeparts, Parts: poolParts, Whole: flatWindow, Fused: true,
	Shape: averageShape, Eval: averageEval, Fast: averageFast, Gradient: averageGradient, Linear: averageLinear, Couple: coupleImage}

var globalAveragePoolOp = op.Def{Name: "GlobalAveragePool", Since: 1, Zero: op.ZeroKept, Shape: globalShape, Eval: averageEval,
	Fast: averageFast, Gradient: averageGradient, Linear: averageLinear, Couple: coupleImage}

func averageShape(n *onnxio.Node) ([]op.Type, error) {
	g, err := poolOf(n)
	if err != nil {
		return nil, err
	}
	return []op.Type{{DType: n.Input(0).DType, Shape: g.shape(g.c)}}, nil
}

// counted is how many taps a mean divides by: those inside the image, or with padding those inside the padded image, which
// ends at in + after. What a last window of ceil_mode has beyond the padding never counts.
func counted(first, kernel, dilation, in, after int, padding bool) int {
	lo, hi, _ := inside(first, kernel, dilation, in)
	if !padding {
		return hi - lo
	}
	return min(kernel, (in+after-first+dilation-1)/dilation)
}

// counts is the divisor of every output position.
func (g *window) counts(padding bool) []int {
	out := make([]int, g.oh*g.ow)
	for o := range out {
		out[o] = counted(o/g.ow*g.sh-g.top, g.kh, g.dh, g.h, g.bottom, padding) *
			counted(o%g.ow*g.sw-g.left, g.kw, g.dw, g.w, g.right, padding)
	}
	return out
}

func includesPads(n *onnxio.Node) bool { return n.Attrs.Int("count_include_pad", 0) != 0 }

func averageEval(c *op.Call) error {
	s, _ := c.State.(*poolState)
	if s == nil {
		s = new(poolState)
		c.State = s
	}
	if err := s.read(c); err != nil {
		return err
	}
	if s.counts == nil {
		s.counts = s.g.counts(includesPads(c.Node))
	}
	switch x := c.In[0].Data.(type) {
	case []float32:
		return averageRun(s, c.Out[0].Data, x)
	case []float64:
		return averageRun(s, c.Out[0].Data, x)
	}
	return unsupportedType(c, "no means of type %v", c.In[0].DType)
}

func averageRun[T float32 | float64](s *poolState, out any, x []T) error {
	g := s.g
	y, ok := out.([]T)
	if !ok || len(y) != g.n*g.c*g.oh*g.ow {
		return fmt.Errorf("cannot pool %T into %T", x, out)
	}
	i := 0
	for p := range g.n * g.c {
		plane := x[p*g.h*g.w : (p+1)*g.h*g.w]
		for oy := range g.oh {
			ya, yb, y0 := inside(oy*g.sh-g.top, g.kh, g.dh, g.h)
			for ox := range g.ow {
				xa, xb, x0 := inside(ox*g.sw-g.left, g.kw, g.dw, g.w)
				var sum T
				for ky := ya; ky < yb && xa < xb; ky++ {
					line := (y0+ky*g.dh)*g.w + x0
					if g.dw == 1 {
						var part T
						for _, v := range plane[line+xa : line+xb] {
							part += v
						}
						sum += part
						continue
					}
					for kx := xa; kx < xb; kx++ {
						sum += plane[line+kx*g.dw]
					}
				}
				y[i] = sum / T(s.counts[oy*g.ow+ox])
				i++
			}
		}
	}
	return nil
}

// averageLinear is a convolution of every channel by itself where all divisors are equal, else a sparse map. The coefficient
// 1/count is rounded once, unless count is a power of two. Float32 executions add at most as many elements and divide, or
// multiply by a rounded reciprocal: the map's own count of terms covers that. The images of a batch are channels.
func averageLinear(n *onnxio.Node) (*op.Linear, error) {
	g, err := poolOf(n)
	if err != nil {
		return nil, err
	}
	counts := g.counts(includesPads(n))
	most := 1
	for _, k := range counts {
		most = max(most, k)
	}
	l := &op.Linear{Maps: make([]affine.Map, 1), Execution: op.Sums(1, float64(most), "sums in any order; one rounding for the division or the rounded reciprocal")}
	uniform := g.n*g.c > 0 && len(counts) > 0
	for _, k := range counts {
		uniform = uniform && k == counts[0]
		if k&(k-1) != 0 {
			l.RelErr = sound.Unit
		}
	}
	if uniform {
		all := *g
		all.n, all.c = 1, g.n*g.c
		l.Maps[0] = all.conv(all.c, all.c, fill(all.c*g.kh*g.kw, 1/float64(counts[0])))
		return l, nil
	}
	s := &affine.Sparse{In: product(n.Input(0).Shape), Start: []int32{0}, Coef: []float64{}}
	for p := range g.n * g.c {
		for o := range g.oh * g.ow {
			c := 1 / float64(counts[o])
			g.each(o/g.ow, o%g.ow, func(_, pos int) {
				s.Index = append(s.Index, int32(p*g.h*g.w+pos))
				s.Coef = append(s.Coef, c)
			})
			s.Start = append(s.Start, int32(len(s.Index)))
		}
	}
	l.Maps[0] = s
	return l, nil
}

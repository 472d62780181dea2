package operators

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/kernel"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// maxpoolFast and averageFast pool channels-last images, a vector of channels at a time.
func maxpoolFast(n *onnxio.Node, r *op.FastRequest) *op.Fast {
	if len(n.Outputs) > 1 && n.Outputs[1] != nil {
		return nil
	}
	return poolFast(n, r, func(g *window) func(*op.Call) error {
		if n.Inputs[0].DType == onnxio.Double {
			return maxpoolPlan[float64](g)
		}
		return maxpoolPlan[float32](g)
	})
}

func averageFast(n *onnxio.Node, r *op.FastRequest) *op.Fast {
	return poolFast(n, r, func(g *window) func(*op.Call) error {
		counts := g.counts(includesPads(n))
		if n.Inputs[0].DType == onnxio.Double {
			return averagePlan[float64](g, counts)
		}
		return averagePlan[float32](g, counts)
	})
}

func poolFast(n *onnxio.Node, r *op.FastRequest, plan func(*window) func(*op.Call) error) *op.Fast {
	g, err := poolOf(n)
	if err != nil || r.Clamps() || !n.Inputs[0].DType.IsFloat() || g.n*g.c*g.oh*g.ow*g.h*g.w == 0 {
		return nil
	}
	in, ok := op.ImageOrder(n.Inputs[0].Shape)
	if !ok || in.Plain() {
		return nil
	}
	out, _ := op.ImageOrder(g.shape(g.c))
	return &op.Fast{In: []op.Order{in}, Out: out, Run: plan(g)}
}

// eachPadded hands out every image with its padding written out as v.
func eachPadded[T float32 | float64](c *op.Call, g *window, pad padded, v T, f func(x, y []T)) error {
	x, ok := c.In[0].Data.([]T)
	y, ok2 := c.Out[0].Data.([]T)
	in, out := g.h*g.w*g.c, g.oh*g.ow*g.c
	if !ok || !ok2 || len(x) != g.n*in || len(y) != g.n*out {
		return fmt.Errorf("cannot pool %v into %v", c.In[0].DType, c.Out[0].DType)
	}
	var buf []T
	if pad.needed() {
		buf = op.Scratch[T](c.Work, pad.size())
	}
	for b := range g.n {
		image := x[b*in : (b+1)*in]
		if buf != nil {
			fillPadded(pad, buf, image, v)
			image = buf
		}
		f(image, y[b*out:(b+1)*out])
	}
	return nil
}

func maxpoolPlan[T float32 | float64](g *window) func(*op.Call) error {
	pad := newPadded(g)
	off := tapOffsets(g, pad)
	return func(c *op.Call) error {
		return eachPadded(c, g, pad, T(math.Inf(-1)), func(x, y []T) {
			for oy := range g.oh {
				s := kernel.Taps[T]{X: x, From: oy * g.sh * pad.cols * pad.c, N: g.ow, Step: g.sw * pad.c, Off: off, C: g.c,
					Y: y, To: oy * g.ow * g.c, YStep: g.c}
				s.Max(&c.Work.Kernel)
			}
		})
	}
}

// averagePlan sums with weights of one and divides by each position's count.
func averagePlan[T float32 | float64](g *window, counts []int) func(*op.Call) error {
	pad := newPadded(g)
	off := tapOffsets(g, pad)
	ones, zero := make([]T, len(off)*g.c), make([]T, g.c)
	for i := range ones {
		ones[i] = 1
	}
	return func(c *op.Call) error {
		return eachPadded(c, g, pad, 0, func(x, y []T) {
			for oy := range g.oh {
				s := kernel.Taps[T]{X: x, From: oy * g.sh * pad.cols * pad.c, N: g.ow, Step: g.sw * pad.c, Off: off, C: g.c,
					Y: y, To: oy * g.ow * g.c, YStep: g.c,
					W: ones, Bias: zero, Lo: T(math.Inf(-1)), Hi: T(math.Inf(1))}
				s.Sum(&c.Work.Kernel)
			}
			for p, k := range counts {
				d := T(k)
				row := y[p*g.c : (p+1)*g.c]
				for i := range row {
					row[i] /= d
				}
			}
		})
	}
}

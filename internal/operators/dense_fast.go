package operators

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/kernel"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// denseShape is a product of rows with a constant matrix: y[i,o] = scale * sum over k of x[i,k]*w(k,o) + bias[o].
type denseShape struct {
	rows, k, m int
	wk, wm     int // strides of the weights
	scale      float64
	bias       func(o int) float64
}

func gemmFast(n *onnxio.Node, r *op.FastRequest) *op.Fast {
	d, err := gemmOf(n)
	if err != nil || d.ta || n.ConstInput(1) == nil || n.ConstInput(0) != nil {
		return nil
	}
	s := &denseShape{rows: d.m, k: d.k, m: d.n, wk: d.bp, wm: d.bj, scale: float64(n.Attrs.Float("alpha", 1)), bias: func(int) float64 { return 0 }}
	if n.Input(2) != nil {
		c := n.ConstInput(2)
		if c == nil || d.ci != 0 {
			return nil
		}
		v, err := c.Float64s()
		if err != nil {
			return nil
		}
		beta := float64(n.Attrs.Float("beta", 1))
		s.bias = func(o int) float64 { return beta * v[o*d.cj] }
	}
	return denseFast(n, r, s)
}

func matmulFast(n *onnxio.Node, r *op.FastRequest) *op.Fast {
	b := n.ConstInput(1)
	if b == nil || n.ConstInput(0) != nil || len(b.Shape) != 2 || len(n.Inputs[0].Shape) < 2 {
		return nil
	}
	a := n.Inputs[0].Shape
	s := &denseShape{rows: product(a[:len(a)-1]), k: b.Shape[0], m: b.Shape[1], wk: b.Shape[1], wm: 1, scale: 1, bias: func(int) float64 { return 0 }}
	if a[len(a)-1] != s.k {
		return nil
	}
	return denseFast(n, r, s)
}

// denseFast packs the weights; a flattened channels-last image is read as it lies, the weights' rows being permuted instead.
func denseFast(n *onnxio.Node, r *op.FastRequest, d *denseShape) *op.Fast {
	if d.rows*d.k*d.m == 0 {
		return nil
	}
	o := r.Order(0)
	if len(n.Inputs[0].Shape) != 2 || o.C*o.H*o.W != d.k {
		o = op.Order{}
	}
	f := &op.Fast{In: []op.Order{o, {}, {}}}
	switch w := n.ConstInput(1).Data.(type) {
	case []float32:
		f.Run = densePlan(n, r, d, o, w)
	case []float64:
		f.Run = densePlan(n, r, d, o, w)
	default:
		return nil
	}
	return f
}

type densePacked[T float32 | float64] struct {
	f    *kernel.Filter[T]
	bias []T
}

func densePlan[T float32 | float64](n *onnxio.Node, r *op.FastRequest, d *denseShape, o op.Order, w []T) func(*op.Call) error {
	p := op.Packed(r, n, []*onnxio.Tensor{n.ConstInput(1), n.ConstInput(2)}, o, func() *densePacked[T] {
		f := densePack(d, o, w)
		p := &densePacked[T]{f, make([]T, f.Padded())}
		for i := range d.m {
			p.bias[i] = T(d.bias(i))
		}
		return p
	})
	lo, hi := T(r.Lo), T(r.Hi)
	return func(c *op.Call) error {
		x, ok := c.In[0].Data.([]T)
		y, ok2 := c.Out[0].Data.([]T)
		if !ok || !ok2 || len(x) != d.rows*d.k || len(y) != d.rows*d.m {
			return fmt.Errorf("operands of types %v and %v", c.In[0].DType, c.In[1].DType)
		}
		p.f.Slide(&kernel.Windows[T]{X: x, Rows: 1, Cols: d.rows, Step: d.k, Y: y, YStep: d.m, Bias: p.bias, Lo: lo, Hi: hi}, &c.Work.Kernel)
		return nil
	}
}

// densePack packs the weights of a product. Most lie as one of two matrices, and take a few copies; what is scaled or permuted goes one by one.
func densePack[T float32 | float64](d *denseShape, o op.Order, w []T) *kernel.Filter[T] {
	if d.scale == 1 && o == (op.Order{}) && (d.wm == 1 && d.wk == d.m || d.wk == 1 && d.wm == d.k) {
		f := kernel.NewFilter[T](d.m, d.k, []int{0}, nil)
		if d.wm == 1 && d.wk == d.m {
			f.PackTurned(w, 0, f.Blocks())
		} else {
			f.Pack(w, 0, f.Blocks())
		}
		return f
	}
	from := make([]int, d.k) // the weights' row of every stored element
	for i := range d.k {
		from[o.Index(i)] = i
	}
	return kernel.NewFilter(d.m, d.k, []int{0}, func(out, _, i int) T {
		v := w[from[i]*d.wk+out*d.wm]
		if d.scale != 1 {
			v = T(d.scale * float64(v))
		}
		return v
	})
}

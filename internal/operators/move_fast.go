package operators

import (
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// reshapeFast keeps a channels-last image as it lies where a reshape flattens its samples; the reader permutes its weights instead.
func reshapeFast(n *onnxio.Node, r *op.FastRequest) *op.Fast {
	x, y, o := n.Inputs[0].Shape, n.Outputs[0].Shape, r.Order(0)
	if r.Clamps() || o.Plain() || len(y) != 2 || len(x) < 3 || x[0] != y[0] || o.C*o.H*o.W != y[1] {
		return nil
	}
	return &op.Fast{In: []op.Order{o, {}}, Out: o, Run: copyRun}
}

// transposeFast turns exporters' changes between NCHW and NHWC into copies.
func transposeFast(n *onnxio.Node, r *op.FastRequest) *op.Fast {
	x, o := n.Inputs[0].Shape, r.Order(0)
	if r.Clamps() || len(x) != 4 || !n.Inputs[0].DType.IsFloat() {
		return nil
	}
	switch perm := n.Attrs.Ints("perm"); {
	case slices.Equal(perm, []int{0, 2, 3, 1}) && !o.Plain():
		return &op.Fast{In: []op.Order{o}, Run: copyRun}
	case slices.Equal(perm, []int{0, 3, 1, 2}) && o.Plain():
		return &op.Fast{In: []op.Order{{}}, Out: op.Last(x[3], x[1], x[2]), Run: copyRun}
	}
	return nil
}

func copyRun(c *op.Call) error {
	switch x := c.In[0].Data.(type) {
	case []float32:
		if y, ok := c.Out[0].Data.([]float32); ok && copy(y, x) == len(y) {
			return nil
		}
	case []float64:
		if y, ok := c.Out[0].Data.([]float64); ok && copy(y, x) == len(y) {
			return nil
		}
	}
	return fmt.Errorf("cannot copy %v to %v", c.In[0].DType, c.Out[0].DType)
}

// concatFast joins the channels of channels-last images pixel by pixel.
func concatFast(n *onnxio.Node, r *op.FastRequest) *op.Fast {
	y := n.Outputs[0].Shape
	out, ok := op.ImageOrder(y)
	axis := n.Attrs.Int("axis", 0)
	if r.Clamps() || !ok || out.Plain() || axis != 1 && axis != 1-len(y) || !n.Outputs[0].DType.IsFloat() || product(y) == 0 {
		return nil
	}
	if !slices.ContainsFunc(r.Orders, func(o op.Order) bool { return !o.Plain() }) {
		return nil
	}
	f := &op.Fast{Out: out}
	var widths []int
	for _, v := range n.Inputs {
		if v == nil || v.Const != nil {
			return nil
		}
		o, _ := op.ImageOrder(v.Shape)
		f.In = append(f.In, o)
		widths = append(widths, v.Shape[1])
	}
	pixels := y[0] * out.H * out.W
	f.Run = func(c *op.Call) error {
		if y, ok := c.Out[0].Data.([]float32); ok {
			return joinPixels(c, y, pixels, widths)
		}
		y, _ := c.Out[0].Data.([]float64)
		return joinPixels(c, y, pixels, widths)
	}
	return f
}

func joinPixels[T float32 | float64](c *op.Call, y []T, pixels int, widths []int) error {
	total := len(y) / pixels
	at := 0
	for i, w := range widths {
		x, ok := c.In[i].Data.([]T)
		if !ok || len(x) != pixels*w {
			return fmt.Errorf("cannot join %v into %v", c.In[i].DType, c.Out[0].DType)
		}
		for p := range pixels {
			copy(y[p*total+at:p*total+at+w], x[p*w:])
		}
		at += w
	}
	return nil
}

// batchnormFast scales and shifts the channels of channels-last images.
func batchnormFast(n *onnxio.Node, r *op.FastRequest) *op.Fast {
	o := r.Order(0)
	x := n.Inputs[0].Shape
	if o.Plain() || len(x) < 3 || x[1] != o.C {
		return nil
	}
	for i := 1; i < 5; i++ {
		if n.ConstInput(i) == nil {
			return nil
		}
	}
	scale, shift, err := BatchNormScale(n)
	if err != nil {
		return nil
	}
	f := &op.Fast{In: []op.Order{o, {}, {}, {}, {}}, Out: o}
	if n.Inputs[0].DType == onnxio.Double {
		f.Run = scalePlan[float64](scale, shift, r)
	} else {
		f.Run = scalePlan[float32](scale, shift, r)
	}
	return f
}

func scalePlan[T float32 | float64](scale, shift []float64, r *op.FastRequest) func(*op.Call) error {
	a, b := make([]T, len(scale)), make([]T, len(scale))
	for i := range a {
		a[i], b[i] = T(scale[i]), T(shift[i])
	}
	lo, hi := T(r.Lo), T(r.Hi)
	return func(c *op.Call) error {
		x, ok := c.In[0].Data.([]T)
		y, ok2 := c.Out[0].Data.([]T)
		if !ok || !ok2 || len(x) != len(y) {
			return fmt.Errorf("operands of types %v and %v", c.In[0].DType, c.Out[0].DType)
		}
		for i := 0; i < len(x); i += len(a) {
			row, to := x[i:i+len(a)], y[i:i+len(a)]
			for k, v := range row {
				to[k] = min(max(v*a[k]+b[k], lo), hi)
			}
		}
		return nil
	}
}

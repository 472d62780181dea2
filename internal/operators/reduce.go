package operators

import (
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

// reduceShape is the Shape face of reductions whose axes became an input with opset `since`.
func reduceShape(since int) func(*onnxio.Node) ([]op.Type, error) {
	return func(n *onnxio.Node) ([]op.Type, error) {
		s, err := shapeOf(n, 0)
		if err != nil {
			return nil, err
		}
		axes, err := intList(n, "axes", 1, since)
		if err != nil {
			return nil, err
		}
		mask, err := reduceMask(n, axes, len(s), since)
		if err != nil {
			return nil, err
		}
		keep := n.Attrs.Int("keepdims", 1) != 0
		out := []int{}
		for i, d := range s {
			switch {
			case !mask[i]:
				out = append(out, d)
			case keep:
				out = append(out, 1)
			}
		}
		return []op.Type{{DType: n.Inputs[0].DType, Shape: out}}, nil
	}
}

// reduceMask tells which axes are reduced: none given means all, or none with noop_with_empty_axes.
func reduceMask(n *onnxio.Node, axes []int, rank, since int) ([]bool, error) {
	mask, err := axisMask(axes, rank)
	if err != nil || len(axes) > 0 {
		return mask, err
	}
	if n.Opset >= since && n.Attrs.Int("noop_with_empty_axes", 0) != 0 {
		return mask, nil
	}
	for i := range mask {
		mask[i] = true
	}
	return mask, nil
}

// reduction walks x once: runs of equal behaviour, a run being reduced (summed into one) or kept.
type reduction struct {
	shape []int
	fixed bool // the axes cannot change
	dims  []moveDim
	count int // elements summed into one
}

// newReduction gives every axis of x its stride in x and in y (0 where it is reduced).
func newReduction(c *op.Call, since int) (*reduction, error) {
	s := c.In[0].Shape
	axes, err := evalInts(c, "axes", 1, since)
	if err != nil {
		return nil, err
	}
	mask, err := reduceMask(c.Node, axes, len(s), since)
	if err != nil {
		return nil, err
	}
	r := &reduction{shape: slices.Clone(s), count: 1, fixed: c.Node.Opset < since || len(c.In) < 2 || c.In[1] == nil || c.Const(1)}
	src := strides(s)
	m := move{dims: make([]moveDim, len(s))}
	dst := 1
	for i := len(s) - 1; i >= 0; i-- {
		m.dims[i] = moveDim{n: s[i], src: src[i]}
		if mask[i] {
			r.count *= s[i]
		} else {
			m.dims[i].dst = dst
			dst *= s[i]
		}
	}
	m.simplify()
	r.dims = m.dims
	return r, nil
}

func reductionState(c *op.Call, since int) (*reduction, error) {
	r, _ := c.State.(*reduction)
	if r != nil && r.fixed && slices.Equal(r.shape, c.In[0].Shape) {
		return r, nil
	}
	r, err := newReduction(c, since)
	if err == nil {
		c.State = r
	}
	return r, err
}

// sumEval is the Eval face of ReduceSum and, with mean, of ReduceMean.
func sumEval(since int, mean bool) func(*op.Call) error {
	return func(c *op.Call) error {
		r, err := reductionState(c, since)
		if err != nil {
			return err
		}
		switch x := c.In[0].Data.(type) {
		case []float32:
			return sumInto(r, c.Out[0].Data, x, mean)
		case []float64:
			return sumInto(r, c.Out[0].Data, x, mean)
		case []int64:
			return sumInto(r, c.Out[0].Data, x, mean)
		case []int32:
			return sumInto(r, c.Out[0].Data, x, mean)
		case []uint64:
			return sumInto(r, c.Out[0].Data, x, mean)
		case []uint32:
			return sumInto(r, c.Out[0].Data, x, mean)
		}
		return unsupportedType(c, "no sums of type %v", c.In[0].DType)
	}
}

func sumInto[T float32 | float64 | int64 | int32 | uint64 | uint32](r *reduction, out any, x []T, mean bool) error {
	y, ok := out.([]T)
	if !ok {
		return fmt.Errorf("cannot sum %T to %T", x, out)
	}
	clear(y)
	if len(x) > 0 {
		walkSum(y, x, r.dims, 0, 0)
	}
	if mean {
		if r.count == 0 && len(y) > 0 {
			return fmt.Errorf("mean of no elements")
		}
		for i := range y {
			y[i] /= T(r.count)
		}
	}
	return nil
}

func walkSum[T float32 | float64 | int64 | int32 | uint64 | uint32](y, x []T, dims []moveDim, d0, s0 int) {
	d := dims[0]
	if len(dims) > 1 {
		for range d.n {
			walkSum(y, x, dims[1:], d0, s0)
			d0 += d.dst
			s0 += d.src
		}
		return
	}
	if d.dst == 0 {
		// Four partial sums: quicker, and of smaller error than one.
		row := x[s0 : s0+d.n]
		var a, b, e, f T
		for len(row) >= 4 {
			a, b, e, f = a+row[0], b+row[1], e+row[2], f+row[3]
			row = row[4:]
		}
		for _, v := range row {
			a += v
		}
		y[d0] += (a + b) + (e + f)
		return
	}
	row := y[d0 : d0+d.n]
	for i, v := range x[s0 : s0+d.n] {
		row[i] += v
	}
}

// staticReduction is the reduction of a node whose axes are constant.
func staticReduction(n *onnxio.Node, since int, face string) (*reduction, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	c := &op.Call{Node: n, In: make([]*onnxio.Tensor, len(n.Inputs))}
	for i, v := range n.Inputs {
		switch {
		case v == nil:
		case i == 0:
			c.In[i] = &onnxio.Tensor{Shape: x}
		case v.Const == nil:
			return nil, op.Unsupported(n, face, fmt.Sprintf("input %d (%s) must be constant", i, v.Name))
		default:
			c.In[i] = v.Const
		}
	}
	return newReduction(c, since)
}

// reduceLinear is the Linear face of ReduceSum and ReduceMean: a sparse map with equal coefficients.
func reduceLinear(since int, mean bool) func(*onnxio.Node) (*op.Linear, error) {
	return func(n *onnxio.Node) (*op.Linear, error) {
		r, err := staticReduction(n, since, "Linear")
		if err != nil {
			return nil, err
		}
		x := r.shape
		l := &op.Linear{Maps: make([]affine.Map, len(n.Inputs)), Execution: op.Sums(0, 1, "sums in any order")}
		if r.count == 1 {
			l.Maps[0] = &affine.Identity{N: product(x)}
			return l, nil
		}
		m := &affine.Sparse{In: product(x)}
		m.Start, m.Index = r.rows()
		l.Maps[0] = m
		if mean && r.count > 0 {
			m.Coef = make([]float64, len(m.Index))
			for i := range m.Coef {
				m.Coef[i] = 1 / float64(r.count)
			}
			if r.count&(r.count-1) != 0 {
				l.RelErr = sound.Unit
			}
			l.Execution = op.Sums(1, float64(r.count), "sums in any order; one rounding for the division or the rounded reciprocal")
		}
		return l, nil
	}
}

// rows lists for every output which inputs it sums, in rising order.
func (r *reduction) rows() (start, index []int32) {
	n := product(r.shape)
	if n == 0 || r.count == 0 {
		outputs := 1
		for _, d := range r.dims {
			if d.dst != 0 {
				outputs *= d.n
			}
		}
		return make([]int32, outputs+1), nil
	}
	start = make([]int32, n/r.count+1)
	for i := range start {
		start[i] = int32(i * r.count)
	}
	index = make([]int32, n)
	fill := make([]int32, n/r.count)
	var walk func(dims []moveDim, d0, s0 int)
	walk = func(dims []moveDim, d0, s0 int) {
		if len(dims) == 0 {
			index[int(start[d0])+int(fill[d0])] = int32(s0)
			fill[d0]++
			return
		}
		for i := range dims[0].n {
			walk(dims[1:], d0+i*dims[0].dst, s0+i*dims[0].src)
		}
	}
	walk(r.dims, 0, 0)
	return start, index
}

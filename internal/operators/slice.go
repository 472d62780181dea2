// slice.go — Slice, opset 1 (attributes), 10, 11, 13 (inputs): a box of x, with steps.

package operators

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var sliceOp = op.Def{Name: "Slice", Since: 1, Zero: op.ZeroKept,
	Attrs: op.Attributes{"starts": op.AnyValue, "ends": op.AnyValue, "axes": op.AnyValue},
	Shape: sliceShape, Eval: sliceEval, Gradient: sliceGradient, Linear: movedBy(sliceEval, 0), Couple: coupleSlice, Adapt: adaptSlice}

// cut is what a Slice takes of one axis: n elements from start on, a step apart.
type cut struct{ start, step, n int }

// sliceCuts reads the arguments through list, which finds them among attributes or inputs.
func sliceCuts(shape []int, list func(name string, i int) ([]int, error)) ([]cut, error) {
	var args [4][]int
	for i, name := range []string{"starts", "ends", "axes", "steps"} {
		v, err := list(name, i+1)
		if err != nil {
			return nil, err
		}
		args[i] = v
	}
	starts, ends, axes, steps := args[0], args[1], args[2], args[3]
	if axes == nil {
		for i := range starts {
			axes = append(axes, i)
		}
	}
	if steps == nil {
		for range starts {
			steps = append(steps, 1)
		}
	}
	if len(starts) != len(ends) || len(starts) != len(axes) || len(starts) != len(steps) {
		return nil, fmt.Errorf("starts, ends, axes and steps have %d, %d, %d and %d entries", len(starts), len(ends), len(axes), len(steps))
	}
	if _, err := axisMask(axes, len(shape)); err != nil {
		return nil, err
	}
	cuts := make([]cut, len(shape))
	for i, d := range shape {
		cuts[i] = cut{0, 1, d}
	}
	for i, a := range axes {
		a, _ = normalAxis(a, len(shape))
		d, start, end, step := shape[a], starts[i], ends[i], steps[i]
		if step == 0 || step == math.MinInt {
			return nil, fmt.Errorf("step %d", step)
		}
		if start < 0 {
			start += d
		}
		if end < 0 {
			end += d
		}
		if step > 0 {
			start, end = min(max(start, 0), d), min(max(end, 0), d)
		} else {
			start, end = min(max(start, 0), d-1), min(max(end, -1), d-1)
		}
		n := 0
		if step > 0 && end > start {
			n = 1 + (end-start-1)/step
		} else if step < 0 && start > end {
			n = 1 + (start-end-1)/-step
		}
		if n <= 1 {
			step = 1
		}
		cuts[a] = cut{start, step, n}
	}
	return cuts, nil
}

func sliceShape(n *onnxio.Node) ([]op.Type, error) {
	s, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	cuts, err := sliceCuts(s, func(name string, i int) ([]int, error) { return intList(n, name, i, 10) })
	if err != nil {
		return nil, err
	}
	out := make([]int, len(s))
	for i, c := range cuts {
		out[i] = c.n
	}
	return []op.Type{{DType: n.Inputs[0].DType, Shape: out}}, nil
}

func sliceEval(c *op.Call) error { return evalMoves(c, 1, sliceMoves) }

func sliceMoves(c *op.Call) ([]move, error) {
	s := c.In[0].Shape
	cuts, err := sliceCuts(s, func(name string, i int) ([]int, error) { return evalInts(c, name, i, 10) })
	if err != nil {
		return nil, err
	}
	m := move{}
	src, dst := strides(s), strides(c.Out[0].Shape)
	for i, cut := range cuts {
		m.src0 += cut.start * src[i]
		m.dims = append(m.dims, moveDim{cut.n, cut.step * src[i], dst[i]})
	}
	m.simplify()
	return []move{m}, nil
}

// sliceGradient pads dy with zeros; with steps other than 1 its elements are scattered.
func sliceGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	x := n.Inputs[0].Shape
	cuts, err := sliceCuts(x, func(name string, i int) ([]int, error) { return intList(n, name, i, 10) })
	if err != nil {
		e.Fail(err)
		return nil
	}
	before, after := make([]int, len(x)), make([]int, len(x))
	for i, c := range cuts {
		if c.step != 1 && c.n > 1 {
			return movedGradient(sliceEval)(e, n, dy)
		}
		before[i], after[i] = c.start, x[i]-c.start-c.n
	}
	return onlyFirst(e.Pad(dy[0], before, after))
}

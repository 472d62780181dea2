// split.go — Split, opset 2, 11 (sizes as attribute), 13 (sizes as input), 18 and later (num_outputs): x cut along an axis.

package operators

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var splitOp = op.Def{Name: "Split", Since: 2, Zero: op.ZeroKept,
	Attrs: op.Attributes{"axis": op.AnyValue, "split": op.AnyValue, "num_outputs": op.AnyValue},
	Shape: splitShape, Eval: splitEval, Gradient: splitGradient, Linear: movedBy(splitEval, 0), Couple: coupleSplit, Adapt: adaptSplit}

// splitSizes works out the outputs' sizes along the axis.
func splitSizes(n *onnxio.Node, sizes []int, total int) ([]int, error) {
	parts := len(n.Outputs)
	if sizes != nil {
		sum := 0
		for _, d := range sizes {
			if d < 0 || d > total {
				return nil, fmt.Errorf("sizes %v of a size of %d", sizes, total)
			}
			sum += d
		}
		if sum != total || len(sizes) != parts {
			return nil, fmt.Errorf("sizes %v for %d outputs of a size of %d", sizes, parts, total)
		}
		return sizes, nil
	}
	if n.Opset >= 18 && n.Attrs.Has("num_outputs") && n.Attrs.Int("num_outputs", 0) != parts {
		return nil, fmt.Errorf("num_outputs is %d and there are %d outputs", n.Attrs.Int("num_outputs", 0), parts)
	}
	if parts == 0 || n.Opset < 18 && total%parts != 0 {
		return nil, fmt.Errorf("a size of %d does not split into %d equal parts", total, parts)
	}
	chunk := (total + parts - 1) / parts
	for range parts {
		sizes = append(sizes, max(0, min(chunk, total)))
		total -= chunk
	}
	return sizes, nil
}

func splitShape(n *onnxio.Node) ([]op.Type, error) {
	s, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	axis, err := normalAxis(n.Attrs.Int("axis", 0), len(s))
	if err != nil {
		return nil, err
	}
	sizes, err := intList(n, "split", 1, 13)
	if err != nil {
		return nil, err
	}
	if sizes, err = splitSizes(n, sizes, s[axis]); err != nil {
		return nil, err
	}
	out := make([]op.Type, len(sizes))
	for i, d := range sizes {
		shape := append([]int{}, s...)
		shape[axis] = d
		out[i] = op.Type{DType: n.Inputs[0].DType, Shape: shape}
	}
	return out, nil
}

func splitEval(c *op.Call) error { return evalMoves(c, 1, splitMoves) }

func splitMoves(c *op.Call) ([]move, error) {
	s := c.In[0].Shape
	axis, err := normalAxis(c.Node.Attrs.Int("axis", 0), len(s))
	if err != nil {
		return nil, err
	}
	sizes, err := evalInts(c, "split", 1, 13)
	if err != nil {
		return nil, err
	}
	if sizes, err = splitSizes(c.Node, sizes, s[axis]); err != nil {
		return nil, err
	}
	src := strides(s)
	moves := make([]move, 0, len(sizes))
	for o, at := 0, 0; o < len(sizes); o++ {
		shape := append([]int{}, s...)
		shape[axis] = sizes[o]
		dst := strides(shape)
		m := move{out: o, src0: at * src[axis]}
		for d, n := range shape {
			m.dims = append(m.dims, moveDim{n, src[d], dst[d]})
		}
		at += sizes[o]
		m.simplify()
		moves = append(moves, m)
	}
	return moves, nil
}

// splitGradient joins what the parts' gradients are; a part that nobody reads has zeros.
func splitGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	axis, err := normalAxis(n.Attrs.Int("axis", 0), len(n.Inputs[0].Shape))
	if err != nil {
		e.Fail(err)
		return nil
	}
	types, err := splitShape(n)
	if err != nil {
		e.Fail(err)
		return nil
	}
	parts := make([]*onnxio.Value, len(dy))
	for i := range parts {
		if parts[i] = dy[i]; parts[i] == nil {
			parts[i] = e.Zeros(n.Inputs[0], types[i].Shape...)
		}
	}
	return onlyFirst(e.Concat(axis, parts...))
}

// concat.go — Concat, opset 4, 11, 13: inputs one after the other along an axis.

package operators

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var concatOp = op.Def{Name: "Concat", Since: 4, Zero: op.ZeroKept,
	Attrs: op.Attributes{"axis": op.AnyValue},
	Shape: concatShape, Eval: concatEval, Fast: concatFast, Gradient: concatGradient, Linear: movedBy(concatEval), Couple: coupleConcat}

func concatShape(n *onnxio.Node) ([]op.Type, error) {
	first, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	if !n.Attrs.Has("axis") {
		return nil, fmt.Errorf("the axis is missing")
	}
	axis, err := normalAxis(n.Attrs.Int("axis", 0), len(first))
	if err != nil {
		return nil, err
	}
	out := append([]int{}, first...)
	for i := 1; i < len(n.Inputs); i++ {
		s, err := shapeOf(n, i)
		if err != nil {
			return nil, err
		}
		if len(s) != len(out) {
			return nil, &onnxio.ShapeError{What: fmt.Sprintf("input %d", i), Want: first, Got: s}
		}
		for d := range s {
			if d != axis && s[d] != out[d] {
				return nil, &onnxio.ShapeError{What: fmt.Sprintf("input %d", i), Want: first, Got: s}
			}
		}
		out[axis] += s[axis]
	}
	return []op.Type{{DType: n.Inputs[0].DType, Shape: out}}, nil
}

func concatEval(c *op.Call) error { return evalMoves(c, len(c.In), concatMoves) }

func concatMoves(c *op.Call) ([]move, error) {
	axis, err := normalAxis(c.Node.Attrs.Int("axis", 0), len(c.Out[0].Shape))
	if err != nil {
		return nil, err
	}
	dst := strides(c.Out[0].Shape)
	moves := make([]move, 0, len(c.In))
	for i, at := 0, 0; i < len(c.In); i++ {
		m := move{in: i, dst0: at * dst[axis]}
		src := strides(c.In[i].Shape)
		for d, n := range c.In[i].Shape {
			m.dims = append(m.dims, moveDim{n, src[d], dst[d]})
		}
		at += c.In[i].Shape[axis]
		m.simplify()
		moves = append(moves, m)
	}
	return moves, nil
}

// concatGradient: every input's part of dy.
func concatGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	dx := make([]*onnxio.Value, len(n.Inputs))
	axis, err := normalAxis(n.Attrs.Int("axis", 1), len(dy[0].Shape))
	if err != nil {
		e.Fail(err)
		return nil
	}
	at := 0
	for i, v := range n.Inputs {
		if e.Wants(n, i) {
			dx[i] = e.Slice(dy[0], axis, at, at+v.Shape[axis])
		}
		at += v.Shape[axis]
	}
	return dx
}

// transpose.go — Transpose, opset 1, 13, 21 and later: axes in another order, reversed by default.

package operators

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var transposeOp = op.Def{Name: "Transpose", Since: 1, Zero: op.ZeroKept,
	Attrs: op.Attributes{"perm": op.AnyValue},
	Shape: transposeShape, Eval: transposeEval, Fast: transposeFast, Gradient: transposeGradient,
	Linear: movedBy(transposeEval, 0), Couple: coupleTranspose}

// permutation reads perm.
func permutation(n *onnxio.Node, rank int) ([]int, error) {
	perm := n.Attrs.Ints("perm")
	if perm == nil {
		for i := range rank {
			perm = append(perm, rank-1-i)
		}
	}
	if len(perm) != rank {
		return nil, fmt.Errorf("perm %v for a shape of rank %d", perm, rank)
	}
	if _, err := axisMask(perm, rank); err != nil {
		return nil, fmt.Errorf("perm %v: %w", perm, err)
	}
	for i, p := range perm {
		perm[i] = (p + rank) % rank
	}
	return perm, nil
}

func transposeShape(n *onnxio.Node) ([]op.Type, error) {
	s, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	perm, err := permutation(n, len(s))
	if err != nil {
		return nil, err
	}
	out := make([]int, len(s))
	for i, p := range perm {
		out[i] = s[p]
	}
	return []op.Type{{DType: n.Inputs[0].DType, Shape: out}}, nil
}

func transposeEval(c *op.Call) error { return evalMoves(c, 1, transposeMoves) }

func transposeMoves(c *op.Call) ([]move, error) {
	s := c.In[0].Shape
	perm, err := permutation(c.Node, len(s))
	if err != nil {
		return nil, err
	}
	m := move{}
	src, dst := strides(s), strides(c.Out[0].Shape)
	for i, p := range perm {
		m.dims = append(m.dims, moveDim{s[p], src[p], dst[i]})
	}
	m.simplify()
	return []move{m}, nil
}

// transposeGradient: dy with the axes put back.
func transposeGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	perm, err := permutation(n, len(n.Inputs[0].Shape))
	if err != nil {
		e.Fail(err)
		return nil
	}
	back := make([]int, len(perm))
	for i, p := range perm {
		back[p] = i
	}
	return onlyFirst(e.Transpose(dy[0], back...))
}

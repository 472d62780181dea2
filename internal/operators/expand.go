// expand.go — Expand, opset 8, 13: x broadcast with a shape.

package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var expandOp = op.Def{Name: "Expand", Since: 8, Shape: expandShape, Eval: expandEval, Gradient: expandGradient, Linear: movedBy(expandEval, 0),
	Couple: coupleExpand, Adapt: adaptExpand}

func expandShape(n *onnxio.Node) ([]op.Type, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	to, err := intList(n, "shape", 1, 0)
	if err != nil {
		return nil, err
	}
	if err := checkSizes(to); err != nil {
		return nil, err
	}
	s, err := broadcastShape(x, to)
	if err != nil {
		return nil, err
	}
	if err := checkSizes(s); err != nil {
		return nil, err
	}
	return []op.Type{{DType: n.Inputs[0].DType, Shape: s}}, nil
}

func expandEval(c *op.Call) error {
	return evalMoves(c, 1, func(c *op.Call) ([]move, error) {
		return []move{broadcastMove(c.In[0].Shape, c.Out[0].Shape)}, nil
	})
}

// expandGradient sums over what was repeated.
func expandGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	return onlyFirst(e.Unbroadcast(dy[0], n.Inputs[0].Shape))
}

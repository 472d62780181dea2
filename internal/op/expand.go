// expand.go — Expand, opset 8, 13: x broadcast with a shape.

package op

import "github.com/shallow-waters/shoal/onnxio"

func init() {
	Register(Def{Name: "Expand", Since: 8, Shape: expandShape, Eval: expandEval, Gradient: expandGradient, Linear: movedBy(expandEval, 0), Couple: coupleExpand, Adapt: adaptExpand})
}

func expandShape(n *onnxio.Node) ([]Type, error) {
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
	return []Type{{n.Inputs[0].DType, s}}, nil
}

func expandEval(c *Call) error {
	return evalMoves(c, 1, func(c *Call) ([]move, error) {
		return []move{broadcastMove(c.In[0].Shape, c.Out[0].Shape)}, nil
	})
}

// expandGradient sums over what was repeated.
func expandGradient(e *Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	return onlyFirst(e.Unbroadcast(dy[0], n.Inputs[0].Shape))
}

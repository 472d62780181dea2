// flatten.go — Flatten, opset 1, 9, 11, 13 and later: x as a matrix, cut before an axis.

package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var flattenOp = op.Def{Name: "Flatten", Since: 1, SameNumbers: true, Zero: op.ZeroKept,
	Attrs: op.Attributes{"axis": op.AnyValue},
	Shape: flattenShape, Eval: copyEval, Fast: reshapeFast, Gradient: sameGradient, Linear: reshapeLinear, Couple: coupleReshape}

func flattenShape(n *onnxio.Node) ([]op.Type, error) {
	s, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	axis := n.Attrs.Int("axis", 1)
	if axis != len(s) {
		if axis, err = normalAxis(axis, len(s)); err != nil {
			return nil, err
		}
	}
	return []op.Type{{DType: n.Inputs[0].DType, Shape: []int{product(s[:axis]), product(s[axis:])}}}, nil
}

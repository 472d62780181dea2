// flatten.go — Flatten, opset 1, 9, 11, 13 and later: x as a matrix, cut before an axis.

package op

import "github.com/shallow-waters/shoal/onnxio"

func init() {
	Register(Def{Name: "Flatten", Since: 1,
		Attrs: Attributes{"axis": anyValue},
		Shape: flattenShape, Eval: copyEval, Fast: reshapeFast, Gradient: sameGradient, Linear: reshapeLinear, Couple: coupleReshape})
}

func flattenShape(n *onnxio.Node) ([]Type, error) {
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
	return []Type{{n.Inputs[0].DType, []int{product(s[:axis]), product(s[axis:])}}}, nil
}

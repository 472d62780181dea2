// squeeze.go — Squeeze, opset 1, 11 (axes as attribute), 13 and later (axes as input): drops sizes of 1.

package operators

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var squeezeOp = op.Def{Name: "Squeeze", Since: 1, SameNumbers: true, Zero: op.ZeroKept,
	Attrs: op.Attributes{"axes": op.AnyValue},
	Shape: squeezeShape, Eval: copyEval, Fast: reshapeFast, Gradient: sameGradient, Linear: reshapeLinear, Couple: coupleReshape}

func squeezeShape(n *onnxio.Node) ([]op.Type, error) {
	s, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	axes, err := intList(n, "axes", 1, 13)
	if err != nil {
		return nil, err
	}
	mask, err := axisMask(axes, len(s))
	if err != nil {
		return nil, err
	}
	out := []int{}
	for i, d := range s {
		switch {
		case axes == nil && d == 1:
		case mask[i] && d != 1:
			return nil, fmt.Errorf("axis %d of shape %v is not 1", i, s)
		case mask[i]:
		default:
			out = append(out, d)
		}
	}
	return []op.Type{{DType: n.Inputs[0].DType, Shape: out}}, nil
}

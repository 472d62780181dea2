// unsqueeze.go — Unsqueeze, opset 1, 11 (axes as attribute), 13 and later (axes as input): inserts sizes of 1.

package operators

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var unsqueezeOp = op.Def{Name: "Unsqueeze", Since: 1, SameNumbers: true, Zero: op.ZeroKept,
	Attrs: op.Attributes{"axes": op.AnyValue},
	Shape: unsqueezeShape, Eval: copyEval, Gradient: sameGradient, Linear: reshapeLinear, Couple: coupleReshape}

func unsqueezeShape(n *onnxio.Node) ([]op.Type, error) {
	s, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	axes, err := intList(n, "axes", 1, 13)
	if err != nil {
		return nil, err
	}
	if axes == nil {
		return nil, fmt.Errorf("axes are missing")
	}
	mask, err := axisMask(axes, len(s)+len(axes))
	if err != nil {
		return nil, err
	}
	out := make([]int, 0, len(mask))
	for _, inserted := range mask {
		if inserted {
			out = append(out, 1)
		} else {
			out = append(out, s[0])
			s = s[1:]
		}
	}
	return []op.Type{{DType: n.Inputs[0].DType, Shape: out}}, nil
}

// reshape.go — Reshape, opset 5, 13, 14 and later: the same elements in another shape; 0 keeps a size, -1 is worked out.

package operators

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var reshapeOp = op.Def{Name: "Reshape", Since: 5, SameNumbers: true, Zero: op.ZeroKept,
	Attrs: op.Attributes{"allowzero": op.Boolean},
	Shape: reshapeShape, Eval: copyEval, Fast: reshapeFast, Gradient: sameGradient, Linear: reshapeLinear, Couple: coupleReshape, Adapt: adaptReshape}

func reshapeShape(n *onnxio.Node) ([]op.Type, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	if n.Input(1) == nil {
		return nil, fmt.Errorf("input 1 (the shape) is missing")
	}
	to, err := intList(n, "shape", 1, 5)
	if err != nil {
		return nil, err
	}
	keep := n.Opset < 14 || n.Attrs.Int("allowzero", 0) == 0
	open, total := -1, product(x)
	for i, d := range to {
		switch {
		case d == -1 && open >= 0:
			return nil, fmt.Errorf("two sizes of -1 in %v", to)
		case d == -1:
			open = i
		case d < 0:
			return nil, fmt.Errorf("negative size in %v", to)
		case d == 0 && keep:
			if i >= len(x) {
				return nil, fmt.Errorf("size %d of %v is to be kept from the rank %d shape %v", i, to, len(x), x)
			}
			to[i] = x[i]
		}
	}
	if open >= 0 {
		to[open] = 1
		if err := checkSizes(to); err != nil {
			return nil, err
		}
		rest := product(to)
		if rest == 0 || total%rest != 0 {
			return nil, fmt.Errorf("shape %v does not reshape to %v with size %d open", x, to, open)
		}
		to[open] = total / rest
	}
	if err := checkSizes(to); err != nil {
		return nil, err
	}
	if product(to) != total {
		return nil, &onnxio.ShapeError{What: "reshape", Want: to, Got: x}
	}
	return []op.Type{{DType: n.Inputs[0].DType, Shape: to}}, nil
}

// castlike.go — CastLike, opset 15, 19, 21 and later: y = x in the type of another input.

package operators

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var castLikeOp = op.Def{Name: "CastLike", Since: 15,
	Attrs:    op.Attributes{"saturate": op.Boolean, "round_mode": op.OneOf("up", "down", "nearest") /* of casts to float8e8m0 */},
	OnlyType: []int{1},
	Shape:    castLikeShape, Eval: castEval, Gradient: castGradient, Interval: castInterval, Linear: castLikeLinear, Couple: coupleElementwise}

func castLikeShape(n *onnxio.Node) ([]op.Type, error) {
	s, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	like := n.Input(1)
	if like == nil {
		return nil, fmt.Errorf("input 1 (target_type) is missing")
	}
	from, to := n.Inputs[0].DType, like.DType
	if to == onnxio.Float16 || to == onnxio.BFloat16 || !to.Held() || to == onnxio.String || from == onnxio.String {
		return nil, op.Unsupported(n, "Shape", fmt.Sprintf("cast from %v to %v", from, to))
	}
	return []op.Type{{DType: to, Shape: s}}, nil
}

// castLikeLinear is Cast's, of the first input alone.
func castLikeLinear(n *onnxio.Node) (*op.Linear, error) {
	l, err := castLinear(n)
	if err == nil && l.Maps != nil {
		l.Maps = append(l.Maps[:1:1], make([]affine.Map, len(n.Inputs)-1)...)
	}
	return l, err
}

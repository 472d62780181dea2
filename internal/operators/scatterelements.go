// scatterelements.go — ScatterElements, opset 11, 13, 16 (reduction add, mul), 18 (min, max): y[index[i][j][k]][j][k] = updates[i][j][k]
// along the axis, in a copy of x.

package operators

import (
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var scatterElementsOp = op.Def{Name: "ScatterElements", Since: 11,
	Attrs: op.Attributes{"axis": op.AnyValue, "reduction": op.OneOf("none", "add", "mul").From(18, "max", "min")},
	Shape: scatterElementsShape, Eval: scatterElementsEval, Gradient: scatterGradient(scatterElementsEval), Linear: scatterLinear(scatterElementsEval)}

func scatterElementsShape(n *onnxio.Node) ([]op.Type, error) {
	types, err := gatherElementsShape(n)
	if err != nil {
		return nil, err
	}
	updates, err := shapeOf(n, 2)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(updates, types[0].Shape) {
		return nil, &onnxio.ShapeError{What: "updates", Want: types[0].Shape, Got: updates}
	}
	x := n.Inputs[0]
	if axis, _ := normalAxis(n.Attrs.Int("axis", 0), len(x.Shape)); x.Shape[axis] == 0 && product(updates) > 0 {
		return nil, fmt.Errorf("updates for an input of shape %v", x.Shape)
	}
	return []op.Type{{DType: x.DType, Shape: x.Shape}}, nil
}

func scatterElementsEval(c *op.Call) error {
	places, _ := c.State.(*picked)
	if places == nil || !c.Const(1) {
		index, err := gatherElementsTable(c)
		if err != nil {
			return err
		}
		places = &picked{index: index}
		c.State = places
	}
	return scatter(c, places.index)
}

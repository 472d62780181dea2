// scatterelements.go — ScatterElements, opset 11, 13, 16 (reduction add, mul), 18 (min, max): y[index[i][j][k]][j][k] = updates[i][j][k]
// along the axis, in a copy of x.

package op

import (
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/onnxio"
)

func init() {
	Register(Def{Name: "ScatterElements", Since: 11,
		Attrs: Attributes{"axis": anyValue, "reduction": oneOf("none", "add", "mul").from(18, "max", "min")},
		Shape: scatterElementsShape, Eval: scatterElementsEval, Gradient: scatterGradient(scatterElementsEval), Linear: scatterLinear(scatterElementsEval)})
}

func scatterElementsShape(n *onnxio.Node) ([]Type, error) {
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
	return []Type{{x.DType, x.Shape}}, nil
}

func scatterElementsEval(c *Call) error {
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

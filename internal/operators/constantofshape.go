// constantofshape.go — ConstantOfShape, opset 9, 20 and later: a tensor of the given shape, filled with one value.

package operators

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var constantOfShapeOp = op.Def{Name: "ConstantOfShape", Since: 9,
	Attrs: op.Attributes{"value": op.AnyValue},
	Shape: constantOfShapeShape, Eval: constantOfShapeEval}

func constantOfShapeShape(n *onnxio.Node) ([]op.Type, error) {
	if n.Input(0) == nil {
		return nil, fmt.Errorf("input 0 is missing")
	}
	s, err := intList(n, "shape", 0, 0)
	if err != nil {
		return nil, err
	}
	if err := checkSizes(s); err != nil {
		return nil, err
	}
	d := onnxio.Float
	if t := n.Attrs.Tensor("value"); t != nil {
		if t.Len() != 1 {
			return nil, fmt.Errorf("value has %d elements where 1 is needed", t.Len())
		}
		d = t.DType
	}
	return []op.Type{{DType: d, Shape: s}}, nil
}

func constantOfShapeEval(c *op.Call) error {
	if t := c.Node.Attrs.Tensor("value"); t != nil {
		return fillData(c.Out[0].Data, t.Data)
	}
	return zeroData(c.Out[0].Data)
}

// maxElements bounds what a node may ask for: a file of a few bytes must not make shoal allocate the machine's memory.
const maxElements = 1 << 31

// checkSizes refuses negative sizes and tensors that are too large to hold.
func checkSizes(shape []int) error {
	n := 1
	for _, d := range shape {
		if d < 0 {
			return fmt.Errorf("negative size in shape %v", shape)
		}
		if d > 0 && n > maxElements/d {
			return fmt.Errorf("shape %v has more than %d elements", shape, maxElements)
		}
		n *= d
	}
	return nil
}

// dropout.go — Dropout, opset 7, 10, 12, 13, 22: at inference y = x, and a mask that is true everywhere.

package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var dropoutOp = op.Def{Name: "Dropout", Since: 7, Copies: dropoutCopies, Zero: op.ZeroKept,
	Attrs: op.Attributes{"ratio": op.NoEffect /* of training */, "seed": op.NoEffect /* of training */},
	Shape: dropoutShape, Eval: dropoutEval, Gradient: sameGradient, Linear: dropoutLinear, Couple: coupleFirst}

// dropoutShape also refuses training mode, whose result is random.
func dropoutShape(n *onnxio.Node) ([]op.Type, error) {
	s, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	if n.Opset >= 12 {
		if v := n.Input(2); v != nil {
			if v.Const == nil {
				return nil, op.Refuse(n, "training_mode (%s) is not constant", v.Name)
			}
			if b, ok := v.Const.Data.([]bool); !ok || len(b) != 1 || b[0] {
				return nil, op.Refuse(n, "training_mode is set: export the model for inference")
			}
		}
	}
	mask := onnxio.Bool
	if n.Opset < 10 {
		mask = n.Inputs[0].DType
	}
	return []op.Type{{DType: n.Inputs[0].DType, Shape: s}, {DType: mask, Shape: s}}, nil
}

func dropoutEval(c *op.Call) error {
	if c.Out[0] != nil {
		if err := copyEval(c); err != nil {
			return err
		}
	}
	if len(c.Out) > 1 && c.Out[1] != nil {
		return fillData(c.Out[1].Data, oneTrue)
	}
	return nil
}

// oneTrue fills masks; an interface already, so that filling allocates nothing.
var oneTrue any = []bool{true}

// dropoutLinear is the identity. The mask is for training, and a network that reads it is not supported.
func dropoutLinear(n *onnxio.Node) (*op.Linear, error) {
	if len(n.Outputs) > 1 && n.Outputs[1] != nil {
		return nil, op.Unsupported(n, "Linear", "the mask is read")
	}
	return reshapeLinear(n)
}

// dropoutCopies: training mode, in which it does not, is refused by the Shape face.
func dropoutCopies(n *onnxio.Node) bool { return len(n.Outputs) == 1 || n.Outputs[1] == nil }

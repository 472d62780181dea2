// bitshift.go — BitShift, opset 11, 28: x shifted by y bits, LEFT or RIGHT, for unsigned integers with broadcasting.

package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var bitShiftOp = op.Def{Name: "BitShift", Since: 11,
	Attrs: op.Attributes{"direction": op.OneOf("LEFT", "RIGHT")},
	Shape: shiftShape, Eval: shiftEval, Couple: coupleElementwise}

func shiftShape(n *onnxio.Node) ([]op.Type, error) {
	types, err := pairType(n)
	if err == nil {
		switch d := types[0].DType; d {
		case onnxio.Int8, onnxio.Int16, onnxio.Int32, onnxio.Int64: // from opset 28 on
			return nil, op.Refuse(n, "shifts of signed integers (%v)", d)
		}
	}
	return types, err
}

func shiftEval(c *op.Call) error {
	left := c.Node.Attrs.String("direction", "") == "LEFT"
	p, y, b := pairState(c), c.Out[0], c.In[1]
	switch x := c.In[0].Data.(type) {
	case []uint64:
		return runTyped(p, shiftRows(&shift64, left), y, x, b)
	case []uint32:
		return runTyped(p, shiftRows(&shift32, left), y, x, b)
	case []uint16:
		return runTyped(p, shiftRows(&shift16, left), y, x, b)
	case []uint8:
		return runTyped(p, shiftRows(&shift8, left), y, x, b)
	}
	return unsupportedType(c, "no shifts of type %v", c.In[0].DType)
}

var (
	shift64 = shifts[uint64]()
	shift32 = shifts[uint32]()
	shift16 = shifts[uint16]()
	shift8  = shifts[uint8]()
)

// shifts are the shifts to the right and to the left.
func shifts[T uint64 | uint32 | uint16 | uint8]() [2]binary[T, T] {
	return [2]binary[T, T]{eachPair(func(a, b T) T { return a >> b }), eachPair(func(a, b T) T { return a << b })}
}

func shiftRows[T any](f *[2]binary[T, T], left bool) *binary[T, T] {
	if left {
		return &f[1]
	}
	return &f[0]
}

// bitshift.go — BitShift, opset 11, 28: x shifted by y bits, LEFT or RIGHT, with broadcasting; signed integers, from opset 28 on, keep their sign
// to the right. Beyond the type's bits, and by less than nothing, all is shifted away.

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
	if err == nil && n.Opset < 28 {
		switch d := types[0].DType; d {
		case onnxio.Int8, onnxio.Int16, onnxio.Int32, onnxio.Int64:
			return nil, op.Refuse(n, "shifts of signed integers (%v) came with opset 28", d)
		}
	}
	return types, err
}

func shiftEval(c *op.Call) error {
	if c.Node.Attrs.String("direction", "") == "LEFT" {
		return shifts[0].eval(c)
	}
	return shifts[1].eval(c)
}

// shifts are those to the left and to the right.
var shifts = [2]onIntegers{
	{eachPair(left[int64]), eachPair(left[int32]), eachPair(left[int16]), eachPair(left[int8]), eachPair(left[uint64]), eachPair(left[uint32]),
		eachPair(left[uint16]), eachPair(left[uint8])},
	{eachPair(right[int64]), eachPair(right[int32]), eachPair(right[int16]), eachPair(right[int8]), eachPair(right[uint64]),
		eachPair(right[uint32]), eachPair(right[uint16]), eachPair(right[uint8])},
}

func left[T whole](a, b T) T {
	if b < 0 {
		return 0
	}
	return a << uint64(b)
}

func right[T whole](a, b T) T {
	if b < 0 { // as far as it goes: 64 fits every type
		b = T(64)
	}
	return a >> uint64(b)
}

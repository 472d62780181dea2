// bitwise.go — BitwiseAnd, opset 18, BitwiseOr, opset 18, BitwiseXor, opset 18, and BitwiseNot, opset 18: bit by bit on integers, with
// broadcasting.

package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// whole are Go's types of integers.
type whole interface {
	int64 | int32 | int16 | int8 | uint64 | uint32 | uint16 | uint8
}

// onIntegers is a binary operator on every type of integers.
type onIntegers struct {
	i64 binary[int64, int64]
	i32 binary[int32, int32]
	i16 binary[int16, int16]
	i8  binary[int8, int8]
	u64 binary[uint64, uint64]
	u32 binary[uint32, uint32]
	u16 binary[uint16, uint16]
	u8  binary[uint8, uint8]
}

func (f *onIntegers) eval(c *op.Call) error {
	p, y, b := pairState(c), c.Out[0], c.In[1]
	switch x := c.In[0].Data.(type) {
	case []int64:
		return runTyped(p, &f.i64, y, x, b)
	case []int32:
		return runTyped(p, &f.i32, y, x, b)
	case []int16:
		return runTyped(p, &f.i16, y, x, b)
	case []int8:
		return runTyped(p, &f.i8, y, x, b)
	case []uint64:
		return runTyped(p, &f.u64, y, x, b)
	case []uint32:
		return runTyped(p, &f.u32, y, x, b)
	case []uint16:
		return runTyped(p, &f.u16, y, x, b)
	case []uint8:
		return runTyped(p, &f.u8, y, x, b)
	}
	return unsupportedType(c, "input of type %v where integers are needed", c.In[0].DType)
}

func and[T whole](a, b T) T { return a & b }
func or[T whole](a, b T) T  { return a | b }
func xor[T whole](a, b T) T { return a ^ b }

func bitwise(name string, f *onIntegers) op.Def {
	return op.Def{Name: name, Since: 18, AnyOrder: true, Shape: pairType, Eval: f.eval}
}

var (
	bitwiseAndOp = bitwise("BitwiseAnd", &onIntegers{eachPair(and[int64]), eachPair(and[int32]), eachPair(and[int16]), eachPair(and[int8]),
		eachPair(and[uint64]), eachPair(and[uint32]), eachPair(and[uint16]), eachPair(and[uint8])})
	bitwiseOrOp = bitwise("BitwiseOr", &onIntegers{eachPair(or[int64]), eachPair(or[int32]), eachPair(or[int16]), eachPair(or[int8]),
		eachPair(or[uint64]), eachPair(or[uint32]), eachPair(or[uint16]), eachPair(or[uint8])})
	bitwiseXorOp = bitwise("BitwiseXor", &onIntegers{eachPair(xor[int64]), eachPair(xor[int32]), eachPair(xor[int16]), eachPair(xor[int8]),
		eachPair(xor[uint64]), eachPair(xor[uint32]), eachPair(xor[uint16]), eachPair(xor[uint8])})
	bitwiseNotOp = op.Def{Name: "BitwiseNot", Since: 18, AnyOrder: true, Shape: sameShape, Eval: bitwiseNotEval}
)

func bitwiseNotEval(c *op.Call) error {
	switch x := c.In[0].Data.(type) {
	case []int64:
		return invert(c.Out[0], x)
	case []int32:
		return invert(c.Out[0], x)
	case []int16:
		return invert(c.Out[0], x)
	case []int8:
		return invert(c.Out[0], x)
	case []uint64:
		return invert(c.Out[0], x)
	case []uint32:
		return invert(c.Out[0], x)
	case []uint16:
		return invert(c.Out[0], x)
	case []uint8:
		return invert(c.Out[0], x)
	}
	return unsupportedType(c, "input of type %v where integers are needed", c.In[0].DType)
}

func invert[T whole](out *onnxio.Tensor, x []T) error {
	for i, v := range x {
		out.Data.([]T)[i] = ^v
	}
	return nil
}

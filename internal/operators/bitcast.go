// bitcast.go — BitCast, opset 26: the same bits as another type of as many.

package operators

import (
	bytes "encoding/binary"
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var bitCastOp = op.Def{Name: "BitCast", Since: 26, Attrs: op.Attributes{"to": op.AnyValue}, Shape: bitCastShape, Eval: bitCastEval}

func bitCastShape(n *onnxio.Node) ([]op.Type, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	from, to := n.Inputs[0].DType, onnxio.DType(n.Attrs.Int("to", 0))
	if !to.Held() || !from.Held() || to == onnxio.String || to.Size() == 0 || from.Size() != to.Size() {
		return nil, op.Unsupported(n, "Shape", fmt.Sprintf("the bits of %v as %v", from, to))
	}
	return []op.Type{{DType: to, Shape: x}}, nil
}

func bitCastEval(c *op.Call) error {
	size := c.Node.Inputs[0].DType.Size()
	if c.In[0].DType.Size() != size || c.Out[0].DType.Size() != size {
		return unsupportedType(c, "the bits of %v, which stands for another type", c.In[0].DType) // a run in float64
	}
	var b [8]byte
	le := bytes.LittleEndian
	for i := range c.In[0].Len() {
		switch x := c.In[0].Data.(type) {
		case []float32:
			le.PutUint32(b[:], math.Float32bits(x[i]))
		case []float64:
			le.PutUint64(b[:], math.Float64bits(x[i]))
		case []int64:
			le.PutUint64(b[:], uint64(x[i]))
		case []uint64:
			le.PutUint64(b[:], x[i])
		case []int32:
			le.PutUint32(b[:], uint32(x[i]))
		case []uint32:
			le.PutUint32(b[:], x[i])
		case []int16:
			le.PutUint16(b[:], uint16(x[i]))
		case []uint16:
			le.PutUint16(b[:], x[i])
		case []int8:
			b[0] = byte(x[i])
		case []uint8:
			b[0] = x[i]
		case []bool:
			b[0] = 0
			if x[i] {
				b[0] = 1
			}
		default:
			return unsupportedType(c, "the bits of %v", c.In[0].DType)
		}
		switch y := c.Out[0].Data.(type) {
		case []float32:
			y[i] = math.Float32frombits(le.Uint32(b[:]))
		case []float64:
			y[i] = math.Float64frombits(le.Uint64(b[:]))
		case []int64:
			y[i] = int64(le.Uint64(b[:]))
		case []uint64:
			y[i] = le.Uint64(b[:])
		case []int32:
			y[i] = int32(le.Uint32(b[:]))
		case []uint32:
			y[i] = le.Uint32(b[:])
		case []int16:
			y[i] = int16(le.Uint16(b[:]))
		case []uint16:
			y[i] = le.Uint16(b[:])
		case []int8:
			y[i] = int8(b[0])
		case []uint8:
			y[i] = b[0]
		case []bool:
			y[i] = b[0] != 0
		default:
			return unsupportedType(c, "bits as %v", c.Out[0].DType)
		}
	}
	return nil
}

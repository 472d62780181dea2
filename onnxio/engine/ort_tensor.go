//go:build cgo

package engine

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"slices"
	"unsafe"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/shallow-waters/shoal/onnxio"
)

func ortType(d onnxio.DType) (ort.TensorElementDataType, error) {
	switch d {
	case onnxio.Float, onnxio.Double, onnxio.Int64, onnxio.Int32, onnxio.Int16, onnxio.Int8, onnxio.Uint64, onnxio.Uint32,
		onnxio.Uint16, onnxio.Uint8, onnxio.Bool,
		onnxio.Float16, onnxio.BFloat16:
		return ort.TensorElementDataType(d), nil // the standard's numbers
	}
	return 0, fmt.Errorf("elements of type %v are not given to onnxruntime", d)
}

// toORT wraps n samples' part of a tensor, without copying where the types agree. onnxruntime reads the slice while it runs.
func toORT(t *onnxio.Tensor, want onnxio.DType, from, n, batch int) (ort.Value, error) {
	shape := make(ort.Shape, len(t.Shape))
	for i, d := range t.Shape {
		shape[i] = int64(d)
	}
	size := t.Len()
	if len(shape) > 0 && n != batch {
		shape[0] = int64(t.Shape[0] / batch * n)
		size = t.Len() / batch * n
	}
	if size == 0 {
		return nil, fmt.Errorf("an empty tensor of shape %v", t.Shape)
	}
	part := reflect.ValueOf(t.Data).Slice(from, from+size).Interface()
	switch d := part.(type) {
	case []float32:
		switch want {
		case onnxio.Double:
			return wrap(shape, widened(d))
		case onnxio.Float16:
			return wrapHalf(shape, d, want, onnxio.HalfBits)
		case onnxio.BFloat16:
			return wrapHalf(shape, d, want, onnxio.BFloat16Bits)
		}
		return wrap(shape, d)
	case []float64:
		if want == onnxio.Float {
			return wrap(shape, narrowed(d))
		}
		return wrap(shape, d)
	case []int64:
		return wrap(shape, d)
	case []int32:
		return wrap(shape, d)
	case []int16:
		return wrap(shape, d)
	case []int8:
		return wrap(shape, d)
	case []uint64:
		return wrap(shape, d)
	case []uint32:
		return wrap(shape, d)
	case []uint16:
		return wrap(shape, d)
	case []uint8:
		return wrap(shape, d)
	case []bool:
		if len(shape) == 0 {
			shape = ort.Shape{1}
		}
		return ort.NewCustomDataTensor(shape, unsafe.Slice((*byte)(unsafe.Pointer(&d[0])), len(d)), ort.TensorElementDataTypeBool)
	}
	return nil, fmt.Errorf("elements of type %v", t.DType)
}

func wrap[T ort.TensorData](shape ort.Shape, d []T) (ort.Value, error) {
	if len(shape) == 0 {
		return ort.NewScalar(d[0])
	}
	return ort.NewTensor(shape, d)
}

// emptyScalar is a place for a scalar; nil for types that networks do not return.
func emptyScalar(d onnxio.DType) ort.Value {
	var v ort.Value
	var err error
	switch d {
	case onnxio.Float:
		v, err = ort.NewEmptyScalar[float32]()
	case onnxio.Double:
		v, err = ort.NewEmptyScalar[float64]()
	case onnxio.Int64:
		v, err = ort.NewEmptyScalar[int64]()
	case onnxio.Int32:
		v, err = ort.NewEmptyScalar[int32]()
	}
	if err != nil {
		return nil
	}
	return v
}

func wrapHalf(shape ort.Shape, d []float32, t onnxio.DType, bits func(float32) uint16) (ort.Value, error) {
	if len(shape) == 0 {
		shape = ort.Shape{1}
	}
	b := make([]byte, 0, 2*len(d))
	for _, v := range d {
		b = binary.NativeEndian.AppendUint16(b, bits(v))
	}
	return ort.NewCustomDataTensor(shape, b, ort.TensorElementDataType(t))
}

func widened(d []float32) []float64 {
	out := make([]float64, len(d))
	for i, v := range d {
		out[i] = float64(v)
	}
	return out
}

func narrowed(d []float64) []float32 {
	out := make([]float32, len(d))
	for i, v := range d {
		out[i] = float32(v)
	}
	return out
}

// fromORT takes a result over; its data was copied to Go's memory already.
func fromORT(v ort.Value) (*onnxio.Tensor, error) {
	if v.GetONNXType() != ort.ONNXTypeTensor {
		return nil, fmt.Errorf("it is no tensor")
	}
	var shape []int
	for _, d := range v.GetShape() {
		shape = append(shape, int(d))
	}
	if shape == nil {
		shape = []int{}
	}
	tensor := func(d onnxio.DType, data any) (*onnxio.Tensor, error) {
		return &onnxio.Tensor{DType: d, Shape: shape, Data: data}, nil
	}
	switch t := v.(type) {
	case *ort.CustomDataTensor:
		d := onnxio.DType(t.DataType())
		if !d.Half() {
			return nil, fmt.Errorf("elements of type %v", d)
		}
		b, out := t.GetData(), make([]float32, onnxio.NumElements(shape))
		for i := range out {
			if h := binary.NativeEndian.Uint16(b[2*i:]); d == onnxio.Float16 {
				out[i] = onnxio.HalfValue(h)
			} else {
				out[i] = math.Float32frombits(uint32(h) << 16)
			}
		}
		return tensor(onnxio.Float, out)
	case *ort.Scalar[float32]:
		return tensor(onnxio.Float, []float32{t.GetData()})
	case *ort.Scalar[float64]:
		return tensor(onnxio.Double, []float64{t.GetData()})
	case *ort.Scalar[int64]:
		return tensor(onnxio.Int64, []int64{t.GetData()})
	case *ort.Scalar[int32]:
		return tensor(onnxio.Int32, []int32{t.GetData()})
	case *ort.Tensor[float32]:
		return tensor(onnxio.Float, t.GetData())
	case *ort.Tensor[float64]:
		return tensor(onnxio.Double, t.GetData())
	case *ort.Tensor[int64]:
		return tensor(onnxio.Int64, t.GetData())
	case *ort.Tensor[int32]:
		return tensor(onnxio.Int32, t.GetData())
	case *ort.Tensor[int16]:
		return tensor(onnxio.Int16, t.GetData())
	case *ort.Tensor[int8]:
		return tensor(onnxio.Int8, t.GetData())
	case *ort.Tensor[uint64]:
		return tensor(onnxio.Uint64, t.GetData())
	case *ort.Tensor[uint32]:
		return tensor(onnxio.Uint32, t.GetData())
	case *ort.Tensor[uint16]:
		return tensor(onnxio.Uint16, t.GetData())
	case *ort.Tensor[uint8]:
		return tensor(onnxio.Uint8, t.GetData())
	case *ort.Tensor[bool]:
		return tensor(onnxio.Bool, slices.Clone(t.GetData()))
	}
	return nil, fmt.Errorf("elements of type %v", onnxio.DType(v.DataType()))
}

package onnxio

import (
	"fmt"
	"math"
)

// Tensor is a dense array in row-major order.
//
// Data is a slice of the Go type that belongs to DType: []float32, []float64, []int64, []int32, []int16, []int8,
// []uint64, []uint32, []uint16, []uint8, []bool, []string or, for numbers of 8 bits and fewer that are no integers, []Code. float16 and bfloat16 are
// widened to []float32 when a file is read, which is exact; the tensor's DType then is Float and the file keeps its bytes. A scalar has Shape of
// length 0 and one element. len(Data) is the product of Shape.
type Tensor struct {
	DType DType
	Shape []int
	Data  any
}

// NumElements is the product of a shape's entries; 1 for a scalar.
func NumElements(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// NewTensor allocates a zeroed tensor. It panics on a type without a Go slice, which is a programmer's error.
func NewTensor(d DType, shape ...int) *Tensor {
	n := NumElements(shape)
	t := &Tensor{DType: d, Shape: append([]int{}, shape...)}
	switch d {
	case Float:
		t.Data = make([]float32, n)
	case Double:
		t.Data = make([]float64, n)
	case Int64:
		t.Data = make([]int64, n)
	case Int32:
		t.Data = make([]int32, n)
	case Int16:
		t.Data = make([]int16, n)
	case Int8, Int4, Int2:
		t.Data = make([]int8, n)
	case Float8E4M3FN, Float8E4M3FNUZ, Float8E5M2, Float8E5M2FNUZ, Float4E2M1, Float8E8M0:
		t.Data = make([]Code, n)
	case Uint64:
		t.Data = make([]uint64, n)
	case Uint32:
		t.Data = make([]uint32, n)
	case Uint16:
		t.Data = make([]uint16, n)
	case Uint8, Uint4, Uint2:
		t.Data = make([]uint8, n)
	case Bool:
		t.Data = make([]bool, n)
	case String:
		t.Data = make([]string, n)
	default:
		panic(fmt.Sprintf("onnxio: no Go slice for %v", d))
	}
	return t
}

// FromFloat32 wraps data, without copying, as a float32 tensor.
func FromFloat32(data []float32, shape ...int) *Tensor {
	return &Tensor{DType: Float, Shape: append([]int{}, shape...), Data: data}
}

// FromFloat64 wraps data, without copying, as a float64 tensor.
func FromFloat64(data []float64, shape ...int) *Tensor {
	return &Tensor{DType: Double, Shape: append([]int{}, shape...), Data: data}
}

// FromInt64 wraps data, without copying, as an int64 tensor.
func FromInt64(data []int64, shape ...int) *Tensor {
	return &Tensor{DType: Int64, Shape: append([]int{}, shape...), Data: data}
}

// Len is the number of elements.
func (t *Tensor) Len() int { return NumElements(t.Shape) }

// F32 returns the data of a float32 tensor; nil for another type.
func (t *Tensor) F32() []float32 { d, _ := t.Data.([]float32); return d }

// F64 returns the data of a float64 tensor; nil for another type.
func (t *Tensor) F64() []float64 { d, _ := t.Data.([]float64); return d }

// I64 returns the data of an int64 tensor; nil for another type.
func (t *Tensor) I64() []int64 { d, _ := t.Data.([]int64); return d }

// Float64s returns a copy of the elements as float64. Exact for every type but 64-bit integers beyond 2^53.
func (t *Tensor) Float64s() ([]float64, error) {
	switch d := t.Data.(type) {
	case []float32:
		return convert[float64](d), nil
	case []float64:
		return append([]float64(nil), d...), nil
	case []int64:
		return convert[float64](d), nil
	case []int32:
		return convert[float64](d), nil
	case []int16:
		return convert[float64](d), nil
	case []int8:
		return convert[float64](d), nil
	case []uint64:
		return convert[float64](d), nil
	case []uint32:
		return convert[float64](d), nil
	case []uint16:
		return convert[float64](d), nil
	case []uint8:
		return convert[float64](d), nil
	case []Code:
		out := make([]float64, len(d))
		for i, c := range d {
			out[i] = t.DType.Value(c)
		}
		return out, nil
	case []bool:
		out := make([]float64, len(d))
		for i, b := range d {
			if b {
				out[i] = 1
			}
		}
		return out, nil
	}
	return nil, fmt.Errorf("a tensor of type %v has no numbers", t.DType)
}

// Int64s returns a copy of an integer or bool tensor's elements as int64; floats are an error.
func (t *Tensor) Int64s() ([]int64, error) {
	switch d := t.Data.(type) {
	case []int64:
		return append([]int64(nil), d...), nil
	case []int32:
		return convert[int64](d), nil
	case []int16:
		return convert[int64](d), nil
	case []int8:
		return convert[int64](d), nil
	case []uint64:
		for _, v := range d {
			if v > math.MaxInt64 {
				return nil, fmt.Errorf("%d does not fit in int64", v)
			}
		}
		return convert[int64](d), nil
	case []uint32:
		return convert[int64](d), nil
	case []uint16:
		return convert[int64](d), nil
	case []uint8:
		return convert[int64](d), nil
	case []bool:
		out := make([]int64, len(d))
		for i, b := range d {
			if b {
				out[i] = 1
			}
		}
		return out, nil
	}
	return nil, fmt.Errorf("a tensor of type %v where integers are needed", t.DType)
}

type number interface {
	~int |
		~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64
}

func convert[To, From number](src []From) []To {
	out := make([]To, len(src))
	for i, v := range src {
		out[i] = To(v)
	}
	return out
}

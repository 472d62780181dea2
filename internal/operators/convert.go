package operators

import (
	"fmt"

	"github.com/shallow-waters/shoal/onnxio"
)

// numeric are the element types that hold numbers.
type numeric interface {
	float32 | float64 | int64 | int32 | int16 | int8 | uint64 | uint32 | uint16 | uint8
}

// copyData copies all elements, converting where the types differ (see convertData).
func copyData(dst, src *onnxio.Tensor) error { return convertData(dst.Data, src.Data) }

// convertData converts all elements as Cast does: toward zero from floats to integers, by the low bits between integers, nonzero to
// true. Floats outside an integer's range give what the machine gives. The lengths must agree.
func convertData(dst, src any) error {
	switch s := src.(type) {
	case []float32:
		return convertFrom(dst, s)
	case []float64:
		return convertFrom(dst, s)
	case []int64:
		return convertFrom(dst, s)
	case []int32:
		return convertFrom(dst, s)
	case []int16:
		return convertFrom(dst, s)
	case []int8:
		return convertFrom(dst, s)
	case []uint64:
		return convertFrom(dst, s)
	case []uint32:
		return convertFrom(dst, s)
	case []uint16:
		return convertFrom(dst, s)
	case []uint8:
		return convertFrom(dst, s)
	case []bool:
		return convertBools(dst, s)
	case []onnxio.Code:
		if d, ok := dst.([]onnxio.Code); ok && len(d) == len(s) {
			copy(d, s)
			return nil
		}
	case []string:
		if d, ok := dst.([]string); ok && len(d) == len(s) {
			copy(d, s)
			return nil
		}
	}
	return fmt.Errorf("cannot convert %T to %T", src, dst)
}

func convertFrom[S numeric](dst any, src []S) error {
	switch d := dst.(type) {
	case []float32:
		return convertTo(d, src)
	case []float64:
		return convertTo(d, src)
	case []int64:
		return convertTo(d, src)
	case []int32:
		return convertTo(d, src)
	case []int16:
		return convertTo(d, src)
	case []int8:
		return convertTo(d, src)
	case []uint64:
		return convertTo(d, src)
	case []uint32:
		return convertTo(d, src)
	case []uint16:
		return convertTo(d, src)
	case []uint8:
		return convertTo(d, src)
	case []bool:
		if len(d) != len(src) {
			return fmt.Errorf("%d elements where %d are needed", len(src), len(d))
		}
		for i, v := range src {
			d[i] = v != 0
		}
		return nil
	}
	return fmt.Errorf("cannot convert %T to %T", src, dst)
}

func convertTo[D, S numeric](dst []D, src []S) error {
	if len(dst) != len(src) {
		return fmt.Errorf("%d elements where %d are needed", len(src), len(dst))
	}
	if d, ok := any(dst).([]S); ok {
		copy(d, src)
		return nil
	}
	for i, v := range src {
		dst[i] = D(v)
	}
	return nil
}

func convertBools(dst any, src []bool) error {
	if d, ok := dst.([]bool); ok {
		if len(d) != len(src) {
			return fmt.Errorf("%d elements where %d are needed", len(src), len(d))
		}
		copy(d, src)
		return nil
	}
	switch d := dst.(type) {
	case []float32:
		return boolsTo(d, src)
	case []float64:
		return boolsTo(d, src)
	case []int64:
		return boolsTo(d, src)
	case []int32:
		return boolsTo(d, src)
	case []int16:
		return boolsTo(d, src)
	case []int8:
		return boolsTo(d, src)
	case []uint64:
		return boolsTo(d, src)
	case []uint32:
		return boolsTo(d, src)
	case []uint16:
		return boolsTo(d, src)
	case []uint8:
		return boolsTo(d, src)
	}
	return fmt.Errorf("cannot convert bool to %T", dst)
}

func boolsTo[D numeric](dst []D, src []bool) error {
	if len(dst) != len(src) {
		return fmt.Errorf("%d elements where %d are needed", len(src), len(dst))
	}
	for i, v := range src {
		dst[i] = 0
		if v {
			dst[i] = 1
		}
	}
	return nil
}

// fillData sets every element of dst to the single element of src, converted.
func fillData(dst, src any) error {
	switch d := dst.(type) {
	case []float32:
		return fillWith(d, src)
	case []float64:
		return fillWith(d, src)
	case []int64:
		return fillWith(d, src)
	case []int32:
		return fillWith(d, src)
	case []int16:
		return fillWith(d, src)
	case []int8:
		return fillWith(d, src)
	case []uint64:
		return fillWith(d, src)
	case []uint32:
		return fillWith(d, src)
	case []uint16:
		return fillWith(d, src)
	case []uint8:
		return fillWith(d, src)
	case []bool:
		return fillWith(d, src)
	case []string:
		return fillWith(d, src)
	}
	return fmt.Errorf("cannot fill %T", dst)
}

func fillWith[T any](dst []T, src any) error {
	if len(dst) == 0 {
		return nil
	}
	if s, ok := src.([]T); ok && len(s) == 1 {
		for i := range dst {
			dst[i] = s[0]
		}
		return nil
	}
	if err := convertData(any(dst[:1]), src); err != nil {
		return err
	}
	for i := range dst {
		dst[i] = dst[0]
	}
	return nil
}

// zeroData sets every element to zero, false or "".
func zeroData(dst any) error {
	switch d := dst.(type) {
	case []float32:
		clear(d)
	case []float64:
		clear(d)
	case []int64:
		clear(d)
	case []int32:
		clear(d)
	case []int16:
		clear(d)
	case []int8:
		clear(d)
	case []uint64:
		clear(d)
	case []uint32:
		clear(d)
	case []uint16:
		clear(d)
	case []uint8:
		clear(d)
	case []bool:
		clear(d)
	case []string:
		clear(d)
	default:
		return fmt.Errorf("cannot fill %T", dst)
	}
	return nil
}

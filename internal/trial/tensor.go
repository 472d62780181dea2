package trial

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/onnxio"
)

// Tensor gives the samples of an index as a model's input of that type; shape is the input's, with the samples in its first place.
//
// Real types get what Input gives, float64 the file's own numbers where they are taken as they are. Integer types get the file's own integers,
// or its reals where they are whole; pixels of images become bytes, 0 to 255, since a net with such an input takes pictures as they are stored.
// A number that the type cannot hold is an error.
func (s *Samples) Tensor(dtype onnxio.DType, shape []int, index []int) (*onnxio.Tensor, error) {
	switch dtype {
	case onnxio.Float, onnxio.Float16, onnxio.BFloat16: // halves are held as float32
		data := make([]float32, 0, len(index)*s.Size)
		for _, i := range index {
			x, err := s.At(i)
			if err != nil {
				return nil, err
			}
			data = append(data, s.Input(x)...)
		}
		return onnxio.FromFloat32(data, shape...), nil
	}
	if !dtype.Held() || dtype == onnxio.String {
		return nil, fmt.Errorf("%s: no samples for an input of type %v", s.Name, dtype)
	}
	if s.Mean != nil && !dtype.IsFloat() {
		return nil, fmt.Errorf("%s: mean and std do not go with an input of type %v, which takes pixels as they are stored", s.Name, dtype)
	}
	t := onnxio.NewTensor(dtype, shape...)
	for k, i := range index {
		ints, reals, err := s.exact(i, dtype)
		if err != nil {
			return nil, err
		}
		for j := range s.Size {
			var ok bool
			if ints != nil {
				ok = setInt(t, k*s.Size+j, ints[j])
			} else {
				ok = setReal(t, k*s.Size+j, reals[j])
			}
			if ok {
				continue
			}
			v := any(nil)
			if ints != nil {
				v = ints[j]
			} else {
				v = reals[j]
			}
			return nil, fmt.Errorf("%s: sample %d holds %v, which an input of type %v cannot", s.Name, s.Index[i], v, dtype)
		}
	}
	return t, nil
}

// exact gives sample i without rounding where it can be had.
func (s *Samples) exact(i int, dtype onnxio.DType) ([]int64, []float64, error) {
	if s.Numbers != nil {
		if ints, reals := s.Numbers(i); ints != nil || reals != nil {
			return ints, reals, nil
		}
	}
	x, err := s.At(i)
	if err != nil {
		return nil, nil, err
	}
	out := make([]float64, len(x))
	if dtype.IsFloat() {
		for k, v := range s.Input(x) {
			out[k] = float64(v)
		}
		return nil, out, nil
	}
	for k, v := range x {
		out[k] = float64(v)
		if b := math.Round(255 * float64(v)); s.Images() && float32(b)/255 == v { // a byte of the file
			out[k] = b
		} else if s.Images() {
			return nil, nil, fmt.Errorf("%s: sample %d holds pixels that are no bytes, for an input of type %v", s.Name, s.Index[i], dtype)
		}
	}
	return nil, out, nil
}

func setReal(t *onnxio.Tensor, k int, v float64) bool {
	if d := t.F64(); d != nil {
		d[k] = v
		return true
	}
	return v == math.Trunc(v) && v >= -0x1p63 && v < 0x1p63 && setInt(t, k, int64(v))
}

// setInt writes v if the tensor's type holds it.
func setInt(t *onnxio.Tensor, k int, v int64) bool {
	switch d := t.Data.(type) {
	case []float64:
		d[k] = float64(v)
		return int64(d[k]) == v
	case []bool:
		d[k] = v == 1
		return v == 0 || v == 1
	case []int64:
		return put(d, k, v)
	case []int32:
		return put(d, k, v)
	case []int16:
		return put(d, k, v)
	case []int8:
		return put(d, k, v)
	case []uint64:
		return v >= 0 && put(d, k, v)
	case []uint32:
		return put(d, k, v)
	case []uint16:
		return put(d, k, v)
	case []uint8:
		return put(d, k, v)
	}
	return false
}

func put[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64](d []T, k int, v int64) bool {
	d[k] = T(v)
	return int64(d[k]) == v
}

package onnxio

import (
	"reflect"
	"testing"
)

// TestTensorsAreWrittenAndRead: EncodeTensor and ParseTensor are each other's inverse.
func TestTensorsAreWrittenAndRead(t *testing.T) {
	for _, want := range []*Tensor{FromFloat32([]float32{1, -0.5, 1e-40, 3}, 2, 2), FromFloat64([]float64{0.1}), FromInt64([]int64{-1, 7}, 2),
		FromFloat32(nil, 0)} {
		data, err := EncodeTensor("name", want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseTensor(data)
		if err != nil || got.DType != want.DType || len(got.Shape) != len(want.Shape) || want.Len() > 0 && !reflect.DeepEqual(got.Data, want.Data) {
			t.Errorf("%v became %v, %v", want, got, err)
		}
	}
	if _, err := EncodeTensor("", nil); err == nil {
		t.Error("no tensor is encoded")
	}
	if _, err := EncodeTensor("", &Tensor{DType: Float, Shape: []int{3}, Data: []float32{1}}); err == nil {
		t.Error("a tensor with too few elements is encoded")
	}
}

package onnxio

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"
)

// TestRawDataReadsAlikeAtEveryAlignment: numbers are the same whether their bytes are taken as they lie or read one by one.
func TestRawDataReadsAlikeAtEveryAlignment(t *testing.T) {
	want := []float32{1, -2.5, math.MaxFloat32, float32(math.Inf(-1)), 0}
	for shift := range 8 {
		buf := make([]byte, shift, 64)
		for _, x := range want {
			buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(x))
		}
		got, err := decodeRaw(Float, []int{5}, 5, buf[shift:])
		if err != nil || !slices.Equal(got.F32(), want) {
			t.Errorf("at offset %d: %v, %v", shift, got, err)
		}
	}
	if got, err := decodeRaw(Int64, []int{0}, 0, []byte{}); err != nil || got.Len() != 0 || got.I64() == nil {
		t.Errorf("an empty tensor: %v, %v", got, err)
	}
}

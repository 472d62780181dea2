package onnxio

import (
	"encoding/binary"
	"unsafe"
)

// littleEndian tells whether numbers lie in this machine's memory as they do in ONNX files.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// alias takes raw data as numbers without copying, where their bytes have the machine's order and lie at a multiple of their size: weights are
// most of a model, and a copy of them doubles what loading needs. The bytes must not be changed afterwards. ok is false where it cannot be.
func alias(dt DType, raw []byte, n int) (data any, ok bool) {
	size := dt.Size()
	if !littleEndian || n == 0 || uintptr(unsafe.Pointer(unsafe.SliceData(raw)))%uintptr(size) != 0 {
		return nil, false
	}
	p := unsafe.Pointer(unsafe.SliceData(raw))
	switch dt {
	case Float:
		return unsafe.Slice((*float32)(p), n), true
	case Double:
		return unsafe.Slice((*float64)(p), n), true
	case Int64:
		return unsafe.Slice((*int64)(p), n), true
	case Int32:
		return unsafe.Slice((*int32)(p), n), true
	}
	return nil, false
}

// bytesOf is the other direction, for the types of which models have much.
func bytesOf(data any) (raw []byte, ok bool) {
	if !littleEndian {
		return nil, false
	}
	switch d := data.(type) {
	case []float32:
		return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(d))), 4*len(d)), true
	case []float64:
		return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(d))), 8*len(d)), true
	}
	return nil, false
}

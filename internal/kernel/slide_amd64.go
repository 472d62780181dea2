//go:build amd64 && !purego

package kernel

import "unsafe"

// slideLanes is the number of outputs of a block: one vector.
func slideLanes[T Float]() int {
	size := int(unsafe.Sizeof(*new(T)))
	if using == levelAVX2 {
		return 32 / size
	}
	return 64 / size
}

// slideTable lists the functions by vectors and windows.
func slideTable[T Float]() [][]func(*slideArgs) {
	size := unsafe.Sizeof(*new(T))
	switch {
	case using == levelAVX512 && size == 4:
		return slide512F32
	case using == levelAVX512:
		return slide512F64
	case size == 4:
		return slide256F32
	}
	return slide256F64
}

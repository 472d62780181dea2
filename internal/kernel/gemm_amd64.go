//go:build amd64 && !purego

package kernel

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

//go:noescape
func tile512F64(k int, a, b, c unsafe.Pointer, ldc int)

//go:noescape
func tile512F32(k int, a, b, c unsafe.Pointer, ldc int)

//go:noescape
func tile256F64(k int, a, b, c unsafe.Pointer, ldc int)

//go:noescape
func tile256F32(k int, a, b, c unsafe.Pointer, ldc int)

// bestLevel asks the processor and the operating system.
func bestLevel() level {
	switch {
	case cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512BW:
		return levelAVX512
	case cpu.X86.HasAVX2 && cpu.X86.HasFMA:
		return levelAVX2
	}
	return levelGeneric
}

// tileShape is the number of rows and columns of one tile.
func tileShape[T Float](l level) (rows, cols int) {
	var z T
	size := int(unsafe.Sizeof(z))
	if l == levelAVX512 {
		return 8, 192 / size
	}
	return 4, 96 / size
}

// tile adds the product of one packed panel of A and one of B to a tile of C.
func tile[T Float](l level, k int, a, b, c *T, ldc int) {
	size := int(unsafe.Sizeof(*c))
	pa, pb, pc := unsafe.Pointer(a), unsafe.Pointer(b), unsafe.Pointer(c)
	switch {
	case l == levelAVX512 && size == 8:
		tile512F64(k, pa, pb, pc, ldc*8)
	case l == levelAVX512:
		tile512F32(k, pa, pb, pc, ldc*4)
	case size == 8:
		tile256F64(k, pa, pb, pc, ldc*8)
	default:
		tile256F32(k, pa, pb, pc, ldc*4)
	}
}

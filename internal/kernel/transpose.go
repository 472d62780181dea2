package kernel

// transposeBlock keeps the written lines of a block in the first cache.
const transposeBlock = 16

// Transpose copies a rows x cols matrix to its transpose.
func Transpose[T any](rows, cols int, src, dst []T) {
	if rows == 1 || cols == 1 {
		copy(dst, src)
		return
	}
	for i0 := 0; i0 < rows; i0 += transposeBlock {
		i1 := min(rows, i0+transposeBlock)
		for j := range cols {
			to := dst[j*rows+i0 : j*rows+i1]
			at := i0*cols + j
			for k := range to {
				to[k] = src[at]
				at += cols
			}
		}
	}
}

package kernel

// level is the instruction set that the matrix kernels use.
type level int

const (
	levelGeneric level = iota
	levelAVX2
	levelAVX512
)

// using is chosen when the program starts; tests set it to try every level.
var using = bestLevel()

// Level names the instruction set in use, for reports.
func Level() string { return [...]string{"portable", "avx2", "avx512"}[using] }

// Work holds packing buffers from call to call. The zero value is ready; not safe for concurrent use.
type Work struct {
	a64, b64, c64 []float64
	a32, b32, c32 []float32
	slide         slideArgs
	zero          []byte
	taps          tapsArgs
	offsets       []int
}

// Block sizes: a panel of B (blockK rows) stays in the first cache, the packed blocks of A and B in the second.
const (
	blockK = 256
	blockM = 96
	blockN = 768
)

// Gemm computes C = op(A) op(B), or C += op(A) op(B) with acc, for row-major matrices: op(A) is m x k, op(B) k x n. A row's result
// does not depend on m: the same sums are formed in the same order. w may be nil; buffers are then allocated.
// Source of the blocking: Goto and van de Geijn 2008, "Anatomy of High-Performance Matrix Multiplication".
func Gemm[T Float](transA, transB bool, m, n, k int, a []T, lda int, b []T, ldb int, c []T, ldc int, acc bool, w *Work) {
	if !acc {
		for i := range m {
			clear(c[i*ldc : i*ldc+n])
		}
	}
	if m == 0 || n == 0 || k == 0 {
		return
	}
	if using == levelGeneric {
		gemmLoops(transA, transB, m, n, k, a, lda, b, ldb, c, ldc)
		return
	}
	if w == nil {
		w = &Work{}
	}
	mr, nr := tileShape[T](using)
	pa, pb, edge := buffers[T](w, mr, nr)
	for j0 := 0; j0 < n; j0 += blockN {
		jn := min(blockN, n-j0)
		for k0 := 0; k0 < k; k0 += blockK {
			kn := min(blockK, k-k0)
			packB(pb, transB, b, ldb, k0, kn, j0, jn, nr)
			for i0 := 0; i0 < m; i0 += blockM {
				in := min(blockM, m-i0)
				packA(pa, transA, a, lda, i0, in, k0, kn, mr)
				for j := 0; j < jn; j += nr {
					for i := 0; i < in; i += mr {
						pi, pj := &pa[i*kn], &pb[j*kn]
						if j+nr <= jn && i+mr <= in {
							tile(using, kn, pi, pj, &c[(i0+i)*ldc+j0+j], ldc)
							continue
						}
						clear(edge)
						tile(using, kn, pi, pj, &edge[0], nr)
						for r := range min(mr, in-i) {
							AddTo(c[(i0+i+r)*ldc+j0+j:][:min(nr, jn-j)], edge[r*nr:r*nr+min(nr, jn-j)])
						}
					}
				}
			}
		}
	}
}

// buffers gives room for a packed block of A, one of B, and a tile.
func buffers[T Float](w *Work, mr, nr int) (a, b, edge []T) {
	na, nb := (blockM+mr)*blockK, (blockN+nr)*blockK
	var z T
	if _, ok := any(z).(float64); ok {
		if len(w.a64) < na || len(w.b64) < nb || len(w.c64) < mr*nr {
			w.a64, w.b64, w.c64 = make([]float64, na), make([]float64, nb), make([]float64, mr*nr)
		}
		return any(w.a64).([]T), any(w.b64).([]T), any(w.c64[:mr*nr]).([]T)
	}
	if len(w.a32) < na || len(w.b32) < nb || len(w.c32) < mr*nr {
		w.a32, w.b32, w.c32 = make([]float32, na), make([]float32, nb), make([]float32, mr*nr)
	}
	return any(w.a32).([]T), any(w.b32).([]T), any(w.c32[:mr*nr]).([]T)
}

// packA stores rows [i0, i0+in) and columns [k0, k0+kn) of op(A) as panels of mr rows, column by column; missing rows are zero.
func packA[T Float](dst []T, trans bool, a []T, lda, i0, in, k0, kn, mr int) {
	for i := 0; i < in; i += mr {
		p := dst[i*kn : i*kn+mr*kn]
		rows := min(mr, in-i)
		if rows < mr {
			clear(p)
		}
		if trans {
			for q := range kn {
				copy(p[q*mr:q*mr+rows], a[(k0+q)*lda+i0+i:])
			}
			continue
		}
		for r := range rows {
			src := a[(i0+i+r)*lda+k0:][:kn]
			at := r
			for _, v := range src {
				p[at] = v
				at += mr
			}
		}
	}
}

// packB stores rows [k0, k0+kn) and columns [j0, j0+jn) of op(B) as panels of nr columns, row by row; missing columns are zero.
func packB[T Float](dst []T, trans bool, b []T, ldb, k0, kn, j0, jn, nr int) {
	for j := 0; j < jn; j += nr {
		p := dst[j*kn : j*kn+nr*kn]
		cols := min(nr, jn-j)
		if cols < nr {
			clear(p)
		}
		if !trans {
			for q := range kn {
				copy(p[q*nr:q*nr+cols], b[(k0+q)*ldb+j0+j:])
			}
			continue
		}
		for c := range cols {
			src := b[(j0+j+c)*ldb+k0:][:kn]
			at := c
			for _, v := range src {
				p[at] = v
				at += nr
			}
		}
	}
}

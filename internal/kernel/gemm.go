package kernel

import "unsafe"

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
	a64, b64 []float64
	a32, b32 []float32
	slide    slideArgs
	none     int // the only offset of a product's windows
	zero     []byte
	taps     tapsArgs
	offsets  []int
}

// Block sizes: the rows of A that a tile reads (blockK columns of them) stay in the first cache, a block of B in the second.
const (
	blockK = 256
	blockM = 96
	blockN = 480
	// directB is the largest number of rows of A for which B is read as it lies: packing it would cost more than it saves.
	directB = 48
	// directBytes is the largest B that is read as it lies for any number of rows: what a second cache holds.
	directBytes = 1 << 21
)

// Gemm computes C = op(A) op(B), or C += op(A) op(B) with acc, for row-major matrices: op(A) is m x k, op(B) k x n. A row's result
// does not depend on m: the same sums are formed in the same order. w may be nil; buffers are then allocated.
//
// It is a sliding product whose windows are the rows of A: they are read as they lie, only B is packed, and not even that where it is
// small or few rows ask for it. Source of the blocking: Goto and van de Geijn 2008, "Anatomy of High-Performance Matrix
// Multiplication".
func Gemm[T Float](transA, transB bool, m, n, k int, a []T, lda int, b []T, ldb int, c []T, ldc int, acc bool, w *Work) {
	if m == 0 || n == 0 || k == 0 || using == levelGeneric {
		if !acc {
			for i := range m {
				clear(c[i*ldc : i*ldc+n])
			}
		}
		if m*n*k > 0 {
			gemmLoops(transA, transB, m, n, k, a, lda, b, ldb, c, ldc)
		}
		return
	}
	if w == nil {
		w = &Work{}
	}
	g := newProduct[T](m, n, w)
	direct := !transB && (m <= directB || k*n*g.size <= directBytes)
	for j0 := 0; j0 < n; j0 += blockN {
		jn := min(blockN, n-j0)
		for k0 := 0; k0 < k; k0 += blockK {
			kn := min(blockK, k-k0)
			panel := g.lanes
			whole := 0 // columns read from b itself
			if direct {
				whole = jn / g.lanes * g.lanes
			}
			packB(g.b, transB, b, ldb, k0, kn, j0+whole, jn-whole, panel)
			for i0 := 0; i0 < m; i0 += blockM {
				in := min(blockM, m-i0)
				rows, step := a[i0*lda*b2i(!transA):], lda
				if transA {
					transposeInto(g.a, a, lda, i0, in, k0, kn)
					rows, step = g.a, kn
				} else {
					rows = rows[k0:]
				}
				out := c[i0*ldc+j0:]
				start := acc || k0 > 0
				if whole > 0 {
					g.tiles(rows, step, in, kn, b[k0*ldb+j0:], ldb, g.lanes, out, ldc, whole, start)
				}
				if jn > whole {
					g.tiles(rows, step, in, kn, g.b, g.lanes, kn*g.lanes, out[whole:], ldc, jn-whole, start)
				}
			}
		}
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// product is what one Gemm's tiles have in common.
type product[T Float] struct {
	size, lanes int
	table       [][]func(*slideArgs)
	args        *slideArgs
	zero        []byte
	work        *Work
	a, b        []T
}

func newProduct[T Float](m, n int, w *Work) product[T] { // by value: it lives on the stack
	g := product[T]{size: int(unsafe.Sizeof(*new(T))), lanes: slideLanes[T](), table: slideTable[T](), args: &w.slide, work: w}
	if need := g.lanes * len(g.table) * g.size; len(w.zero) < need {
		w.zero = make([]byte, need)
	}
	g.zero = w.zero
	g.a, g.b = buffers[T](w, g.lanes)
	return g
}

// tiles multiplies m rows of kn inputs with the columns of a block of B: column j's weights of input p stand at
// w[p*next + j/lanes*block + j%lanes].
func (g *product[T]) tiles(x []T, step, m, kn int, w []T, next, block int, y []T, ystep, n int, acc bool) {
	a := g.args
	inf := Inf[T]()
	*a = slideArgs{step: step * g.size, off: &g.work.none, segs: 1, run: kn, block: block * g.size, next: next * g.size, ystep: ystep * g.size,
		bias: unsafe.Pointer(&g.zero[0]), lo: bits(-inf), hi: bits(inf), acc: b2i(acc),
		hold: [3]unsafe.Pointer{unsafe.Pointer(unsafe.SliceData(x)), unsafe.Pointer(unsafe.SliceData(y)), unsafe.Pointer(unsafe.SliceData(w))}}
	blocks := (n + g.lanes - 1) / g.lanes
	_ = x[(m-1)*step+kn-1]
	_ = y[(m-1)*ystep+n-1]
	_ = w[(kn-1)*next+(blocks-1)*block+min(g.lanes, len(w))-1]
	group := width(len(g.table), blocks, m, func(v int) int { return len(g.table[v-1]) })
	for i := 0; i < m; {
		rows := tileRows(g.table[group-1], m-i)
		for b := 0; b < blocks; b += group {
			v := min(group, blocks-b)
			a.w = uintptr(unsafe.Pointer(&w[b*block]))
			a.setMask(min(g.lanes, n-(b+v-1)*g.lanes), g.lanes, g.size)
			for r := 0; r < rows; { // a narrower group takes other numbers of rows
				t := rows
				if v < group {
					t = tileRows(g.table[v-1], rows-r)
				}
				a.x, a.y = uintptr(unsafe.Pointer(&x[(i+r)*step])), uintptr(unsafe.Pointer(&y[(i+r)*ystep+b*g.lanes]))
				g.table[v-1][t-1](a)
				r += t
			}
		}
		i += rows
	}
}

// buffers gives room for a transposed block of A and a packed block of B.
func buffers[T Float](w *Work, lanes int) (a, b []T) {
	na, nb := blockM*blockK, (blockN+lanes)*blockK
	var z T
	if _, ok := any(z).(float64); ok {
		if len(w.a64) < na || len(w.b64) < nb {
			w.a64, w.b64 = make([]float64, na), make([]float64, nb)
		}
		return any(w.a64).([]T), any(w.b64).([]T)
	}
	if len(w.a32) < na || len(w.b32) < nb {
		w.a32, w.b32 = make([]float32, na), make([]float32, nb)
	}
	return any(w.a32).([]T), any(w.b32).([]T)
}

// transposeInto stores rows [i0, i0+in) and columns [k0, k0+kn) of a transposed A as rows of kn.
func transposeInto[T Float](dst, a []T, lda, i0, in, k0, kn int) {
	for q := range kn {
		for i, v := range a[(k0+q)*lda+i0:][:in] {
			dst[i*kn+q] = v
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

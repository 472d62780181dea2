package kernel

import (
	"math"
	"unsafe"
)

// fewest is the least number of elements for which a vector loop is worth its call.
const fewest = 4

// blocked is the part of n elements that the vector loops take: all with AVX-512, whole vectors with AVX2.
func blocked(n int) int {
	switch {
	case n < fewest || using < levelAVX2:
		return 0
	case using == levelAVX512:
		return n
	}
	return n &^ 3
}

// asFloat64 is a pointer to the first element if T is float64, else nil.
func asFloat64[T Float](x []T) *float64 {
	if unsafe.Sizeof(x[0]) != 8 {
		return nil
	}
	return (*float64)(unsafe.Pointer(unsafe.SliceData(x)))
}

// asFloat32 is a pointer to the first element if T is float32, else nil.
func asFloat32[T Float](x []T) *float32 {
	if unsafe.Sizeof(x[0]) != 4 {
		return nil
	}
	return (*float32)(unsafe.Pointer(unsafe.SliceData(x)))
}

// Float is what the kernels compute in.
type Float interface{ float32 | float64 }

// gemmLoops is the portable product: C += op(A) op(B).
func gemmLoops[T Float](transA, transB bool, m, n, k int, a []T, lda int, b []T, ldb int, c []T, ldc int) {
	for i := range m {
		ci := c[i*ldc : i*ldc+n]
		for p := range k {
			var x T
			if transA {
				x = a[p*lda+i]
			} else {
				x = a[i*lda+p]
			}
			if transB {
				for j := range ci {
					ci[j] += x * b[j*ldb+p]
				}
				continue
			}
			Axpy(x, b[p*ldb:p*ldb+n], ci)
		}
	}
}

// Gemv computes y = A x (A is m x n, row-major), or y += A x with acc; with trans A transposed.
func Gemv[T Float](trans bool, m, n int, a []T, lda int, x, y []T, acc bool) {
	if trans {
		if !acc {
			clear(y[:n])
		}
		for i := range m {
			Axpy(x[i], a[i*lda:i*lda+n], y[:n])
		}
		return
	}
	for i := range m {
		s := Dot(a[i*lda:i*lda+n], x[:n])
		if acc {
			s += y[i]
		}
		y[i] = s
	}
}

// Axpy adds a*x to y.
func Axpy[T Float](a T, x, y []T) {
	y = y[:len(x)]
	for i, v := range x {
		y[i] += a * v
	}
}

// AddTo adds src to dst.
func AddTo[T Float](dst, src []T) {
	dst = dst[:len(src)]
	if n := blocked(len(src)); n > 0 {
		if p := asFloat64(dst); p != nil {
			addToVec(n, p, asFloat64(src))
			dst, src = dst[n:], src[n:]
		}
	}
	for i, v := range src {
		dst[i] += v
	}
}

// Dot is the sum of a[i]*b[i].
func Dot[T Float](a, b []T) T {
	b = b[:len(a)]
	var s0, s1, s2, s3 T
	if n := blocked(len(a)); n > 0 {
		if p := asFloat64(a); p != nil {
			s0 = T(dotVec(n, p, asFloat64(b)))
			a, b = a[n:], b[n:]
		}
	}
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return (s0 + s1) + (s2 + s3)
}

// AbsDot is the sum of |a[i]|*b[i].
func AbsDot(a, b []float64) float64 {
	b = b[:len(a)]
	s0, s1 := 0.0, 0.0
	if n := blocked(len(a)); n > 0 {
		s0 = absDotVec(n, &a[0], &b[0])
		a, b = a[n:], b[n:]
	}
	i := 0
	for ; i+2 <= len(a); i += 2 {
		s0 += math.Abs(a[i]) * b[i]
		s1 += math.Abs(a[i+1]) * b[i+1]
	}
	if i < len(a) {
		s0 += math.Abs(a[i]) * b[i]
	}
	return s0 + s1
}

// MidRad reads W (m x n, row-major) once and computes ymid = W mid, yrad = |W| rad and ymag = |W| mag.
func MidRad(m, n int, w []float64, ldw int, mid, rad, mag, ymid, yrad, ymag []float64) {
	mid, rad, mag = mid[:n], rad[:n], mag[:n]
	wide := blocked(n)
	for i := range m {
		a, b, c := 0.0, 0.0, 0.0
		row := w[i*ldw : i*ldw+n]
		if wide > 0 {
			a, b, c = midRadVec(wide, &row[0], &mid[0], &rad[0], &mag[0])
		}
		for j := wide; j < n; j++ {
			x := row[j]
			a += x * mid[j]
			x = math.Abs(x)
			b += x * rad[j]
			c += x * mag[j]
		}
		ymid[i], yrad[i], ymag[i] = a, b, c
	}
}

// ReluRow carries one row down through elementwise lines: where row[i] >= 0 the lower line, else the upper one. It scales the row in
// place and returns the sum of row[i] times the intercept.
func ReluRow(row, loSlope, upSlope, loIcept, upIcept []float64) float64 {
	c := 0.0
	loSlope, upSlope, loIcept, upIcept = loSlope[:len(row)], upSlope[:len(row)], loIcept[:len(row)], upIcept[:len(row)]
	if n := blocked(len(row)); n > 0 {
		c = reluRowVec(n, &row[0], &loSlope[0], &upSlope[0], &loIcept[0], &upIcept[0])
		row, loSlope, upSlope, loIcept, upIcept = row[n:], loSlope[n:], upSlope[n:], loIcept[n:], upIcept[n:]
	}
	for i, x := range row {
		if x >= 0 {
			c += x * loIcept[i]
			row[i] = x * loSlope[i]
		} else {
			c += x * upIcept[i]
			row[i] = x * upSlope[i]
		}
	}
	return c
}

// BoxMin is the least value of row*x for lower <= x <= upper.
func BoxMin(row, lower, upper []float64) float64 {
	lower, upper = lower[:len(row)], upper[:len(row)]
	s := 0.0
	if n := blocked(len(row)); n > 0 {
		s = boxMinVec(n, &row[0], &lower[0], &upper[0])
		row, lower, upper = row[n:], lower[n:], upper[n:]
	}
	for i, x := range row {
		if x >= 0 {
			s += x * lower[i]
		} else {
			s += x * upper[i]
		}
	}
	return s
}

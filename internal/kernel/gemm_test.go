package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// levels lists the instruction sets of this machine.
func levels() []level {
	var out []level
	for l := levelGeneric; l <= bestLevel(); l++ {
		out = append(out, l)
	}
	return out
}

func random[T Float](rng *rand.Rand, n int) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = T(rng.NormFloat64())
	}
	return x
}

// checkGemm compares with sums in float64: the error of k products is at most gamma_k * |A||B| (Higham 2002, section 3.5), and the
// reference's own is far below it for float32, and doubles it for float64.
func checkGemm[T Float](t *testing.T, rng *rand.Rand, unit float64, m, n, k int, ta, tb, acc bool) {
	t.Helper()
	lda, ldb, ldc := k+rng.IntN(3), n+rng.IntN(3), n+rng.IntN(3)
	ra, rb := m, k
	if ta {
		lda, ra = m+rng.IntN(3), k
	}
	if tb {
		ldb, rb = k+rng.IntN(3), n
	}
	a, b, c := random[T](rng, ra*lda+1), random[T](rng, rb*ldb+1), random[T](rng, m*ldc+1)
	before := append([]T{}, c...)
	Gemm(ta, tb, m, n, k, a, lda, b, ldb, c, ldc, acc, &Work{})
	gamma := 2 * float64(k+2) * unit / (1 - float64(k+2)*unit)
	for i := range m {
		for j := range ldc {
			at := i*ldc + j
			if j >= n {
				if c[at] != before[at] {
					t.Fatalf("wrote outside the matrix at row %d column %d", i, j)
				}
				continue
			}
			want, mag := 0.0, 0.0
			if acc {
				want = float64(before[at])
				mag = math.Abs(want)
			}
			for p := range k {
				x, y := 0.0, 0.0
				if ta {
					x = float64(a[p*lda+i])
				} else {
					x = float64(a[i*lda+p])
				}
				if tb {
					y = float64(b[j*ldb+p])
				} else {
					y = float64(b[p*ldb+j])
				}
				want += x * y
				mag += math.Abs(x * y)
			}
			if d := math.Abs(float64(c[at]) - want); !(d <= gamma*mag) {
				t.Fatalf("%dx%dx%d ta=%v tb=%v acc=%v: element %d,%d is %v, want %v (off by %g, allowed %g)", m, n, k, ta,
					tb, acc, i, j, c[at], want, d, gamma*mag)
			}
		}
	}
}

// TestGemmEveryLevel tries every instruction set on edges of tiles and blocks.
func TestGemmEveryLevel(t *testing.T) {
	defer func(l level) { using = l }(using)
	sizes := []int{1, 2, 3, 4, 5, 7, 8, 9, 23, 24, 25, 47, 48, 49, 97, 193}
	for _, l := range levels() {
		using = l
		t.Run(Level(), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(uint64(l), 7))
			for range 600 {
				m, n, k := sizes[rng.IntN(len(sizes))], sizes[rng.IntN(len(sizes))], sizes[rng.IntN(len(sizes))]
				ta, tb, acc := rng.IntN(2) == 0, rng.IntN(2) == 0, rng.IntN(2) == 0
				checkGemm[float64](t, rng, 0x1p-53, m, n, k, ta, tb, acc)
				checkGemm[float32](t, rng, 0x1p-24, m, n, k, ta, tb, acc)
			}
			checkGemm[float64](t, rng, 0x1p-53, 9, blockN+5, 3, false, true, true)
			checkGemm[float32](t, rng, 0x1p-24, blockM+3, 50, 2*blockK+1, true, false, false)
		})
	}
}

// TestGemmKeepsNaN: nothing is skipped because a factor is zero.
func TestGemmKeepsNaN(t *testing.T) {
	defer func(l level) { using = l }(using)
	for _, l := range levels() {
		using = l
		a, b, c := make([]float64, 30), make([]float64, 30), make([]float64, 1)
		b[17] = math.Inf(1)
		Gemm(false, false, 1, 1, 30, a, 30, b, 1, c, 1, false, nil)
		if !math.IsNaN(c[0]) {
			t.Errorf("%s: 0*Inf summed to %v", Level(), c[0])
		}
	}
}

// TestGemmRowsDoNotDependOnEachOther: the same bits for a row alone and among others.
func TestGemmRowsDoNotDependOnEachOther(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	for range 50 {
		m, n, k := 1+rng.IntN(40), 1+rng.IntN(60), 1+rng.IntN(300)
		a, b := random[float64](rng, m*k), random[float64](rng, k*n)
		all, one := make([]float64, m*n), make([]float64, n)
		Gemm(false, false, m, n, k, a, k, b, n, all, n, false, nil)
		r := rng.IntN(m)
		Gemm(false, false, 1, n, k, a[r*k:], k, b, n, one, n, false, nil)
		for j := range one {
			if one[j] != all[r*n+j] {
				t.Fatalf("row %d column %d: %v alone, %v among %d", r, j, one[j], all[r*n+j], m)
			}
		}
	}
}

func benchGemm[T Float](b *testing.B, m, n, k int) {
	rng := rand.New(rand.NewPCG(1, 1))
	x, y, c := random[T](rng, m*k), random[T](rng, k*n), make([]T, m*n)
	w := &Work{}
	b.ReportAllocs()
	for b.Loop() {
		Gemm(false, false, m, n, k, x, k, y, n, c, n, false, w)
	}
	b.ReportMetric(2*float64(m)*float64(n)*float64(k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}

func BenchmarkGemm(b *testing.B) {
	for _, s := range [][3]int{{256, 256, 256}, {1024, 1024, 1024}, {100, 50, 50}, {1000, 256, 256}, {9, 784, 256}, {4096, 144, 16},
		{2000, 288, 32}, {512, 800, 64}} {
		name := fmt.Sprintf("%dx%dx%d", s[0], s[1], s[2])
		b.Run("f64/"+name, func(b *testing.B) { benchGemm[float64](b, s[0], s[1], s[2]) })
		b.Run("f32/"+name, func(b *testing.B) { benchGemm[float32](b, s[0], s[1], s[2]) })
	}
}

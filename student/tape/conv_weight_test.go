package tape

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/internal/kernel"
)

// TestWeightsByRowsAreThoseByColumns: reading windows as they lie gives what writing them out gives, also in memory that was used for other images
// before.
func TestWeightsByRowsAreThoseByColumns(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	whole := func(n int) []float64 { // small whole numbers: sums are exact in any order
		x := make([]float64, n)
		for i := range x {
			x[i] = float64(rng.IntN(17) - 8)
		}
		return x
	}
	for range 200 {
		kh, kw, c, m := 1+rng.IntN(4), 1+rng.IntN(4), 1+rng.IntN(40), 1+rng.IntN(40)
		g := Geometry{Stride: [2]int{1, 1}, Pad: [4]int{rng.IntN(kh), rng.IntN(kw), rng.IntN(kh), rng.IntN(kw)}}
		k := newConv([]int{1 + rng.IntN(3), kh + rng.IntN(6), kw + rng.IntN(12), c}, []int{m, kh, kw, c}, g)
		x, dy := whole(k.x.TotalSize()), whole(k.out.TotalSize())
		sum := func(multiply convWeightOf[float64], group, room int) []float64 {
			out, own := make([]float64, k.weight.TotalSize()), make([]float64, room)
			for range 2 { // the second time in used memory
				for i := 0; i < k.n; i += group {
					multiply(out, x, dy, i, min(group, k.n-i), own, i > 0, &kernel.Work{})
				}
			}
			return out
		}
		rows, columns := sum(convWeightByRows[float64](k)), sum(convWeightByColumns[float64](k))
		if fmt.Sprint(rows) != fmt.Sprint(columns) {
			t.Fatalf("x %v, W %v, %+v: %v, by columns %v", k.x, k.weight, g, rows, columns)
		}
	}
}

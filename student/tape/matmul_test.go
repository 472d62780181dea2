package tape

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestProductsThatAreSplit compares products large enough for several parts with the definition.
func TestProductsThatAreSplit(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, s := range [][3]int{{100, 20, 16}, {10, 300, 128}, {128, 100, 784}, {1, 5000, 30}, {333, 7, 65}} {
		for form := range 4 {
			tx, ty := form&1 > 0, form&2 > 0
			m, n, k := s[0], s[1], s[2]
			b := NewBuilder[float64](NewPool(2))
			sx, sy := []int{m, k}, []int{k, n}
			if tx {
				sx = []int{k, m}
			}
			if ty {
				sy = []int{n, k}
			}
			x, y := b.Input("x", sx...), b.Input("y", sy...)
			for _, v := range []*Node{x, y} {
				for i := range Elements[float64](v) {
					Elements[float64](v)[i] = rng.NormFloat64()
				}
			}
			z := b.MatMul(tx, ty, x, y)
			machine, err := NewMachine(b, z)
			if err != nil {
				t.Fatal(err)
			}
			if err := machine.RunAll(); err != nil {
				t.Fatal(err)
			}
			xs, ys := Elements[float64](x), Elements[float64](y)
			for range 50 {
				i, j := rng.IntN(m), rng.IntN(n)
				want := 0.0
				for q := range k {
					at, other := i*k+q, q*n+j
					if tx {
						at = q*m + i
					}
					if ty {
						other = j*k + q
					}
					want += xs[at] * ys[other]
				}
				if got := Elements[float64](z)[i*n+j]; math.Abs(got-want) > 1e-10 {
					t.Fatalf("%v form %d: [%d,%d] is %v, want %v", s, form, i, j, got, want)
				}
			}
		}
	}
}

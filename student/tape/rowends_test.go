package tape

import (
	"math"
	"math/rand/v2"
	"testing"
)

// rowsTolerance is float32's rounding in sums of a few dozen terms of about 1.
const rowsTolerance = 2e-5

// TestRowsInFloat32AreThoseInFloat64: values and gradients, where coefficients are 0 and -0 too. The float32 forms work on bits.
func TestRowsInFloat32AreThoseInFloat64(t *testing.T) {
	operators := map[string]func(b *Builder, a, v *Node) *Node{
		"RowScale": (*Builder).RowScale, "RowEnds": (*Builder).RowEnds, "AbsDot": (*Builder).AbsDot}
	for name, f := range operators {
		for width := range 9 {
			if width == 0 {
				continue
			}
			single, double := runRows[float32](t, f, width), runRows[float64](t, f, width)
			for i, want := range double {
				if math.Abs(single[i]-want) > rowsTolerance {
					t.Fatalf("%s, rows of %d, number %d: %v in float32, %v in float64", name, width, i, single[i], want)
				}
			}
		}
	}
}

// runRows gives an operator's values on rows of the width, and its gradients.
func runRows[T Float](t *testing.T, f func(b *Builder, a, v *Node) *Node, width int) (out []float64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(2, uint64(width)))
	b := NewBuilder[T](NewPool(2))
	fill := func(name string, shape ...int) *Node {
		n := b.Input(name, shape...)
		for i := range Elements[T](n) {
			x := rng.NormFloat64()
			switch rng.IntN(6) {
			case 0:
				x = 0
			case 1:
				x = math.Copysign(0, -1)
			}
			Elements[T](n)[i] = T(x)
		}
		return n
	}
	a, v := fill("a", 6, width), fill("v", 3, width)
	y := f(b, a, v)
	grads := b.Gradient(b.Sum(b.Mul(y, fill("weights", y.Shape()...))), a, v)
	m, err := NewMachine(b, append(grads, y)...)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.RunAll(); err != nil {
		t.Fatal(err)
	}
	for _, n := range append(grads, y) {
		for _, x := range Elements[T](n) {
			out = append(out, float64(x))
		}
	}
	return out
}

package bound

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// exactly is a sum of products, computed without rounding.
func exactly(terms ...[]float64) *big.Rat {
	sum := new(big.Rat)
	for _, t := range terms {
		p := big.NewRat(1, 1)
		for _, x := range t {
			p.Mul(p, new(big.Rat).SetFloat64(x))
		}
		sum.Add(sum, p)
	}
	return sum
}

// drawQuadratic is a form of some rank and sign, of any size, with entries that may be 0.
func drawQuadratic(rng *rand.Rand, n int) *quadratic {
	f := newQuadratic(n)
	size := math.Pow(10, -4+8*rng.Float64())
	for range 1 + rng.IntN(n+1) {
		v, s := make([]float64, n), size*rng.NormFloat64()
		if rng.IntN(3) == 0 {
			s = math.Abs(s)
		}
		for i := range v {
			if rng.IntN(4) > 0 {
				v[i] = rng.NormFloat64() * math.Pow(10, -3*rng.Float64())
			}
		}
		for i := range n {
			for j := range i + 1 {
				f.q[i*n+j] += s * v[i] * v[j]
				f.q[j*n+i] = f.q[i*n+j]
			}
		}
	}
	return f
}

// TestAFormIsUnderItsQuadratic compares both in exact arithmetic, at all corners, where concave forms are nearest, at the point that the form
// touches, where convex ones are, and at points between.
func TestAFormIsUnderItsQuadratic(t *testing.T) {
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 17))
		n := 1 + rng.IntN(6)
		f := drawQuadratic(rng, n)
		q := append([]float64(nil), f.q...)
		g, h := make([]float64, n), make([]float64, n)
		for i := range g {
			g[i] = f.q[rng.IntN(n*n)] * rng.NormFloat64()
		}
		c := f.under(g, h)
		if math.IsInf(c, 0) {
			t.Fatalf("seed %d: nothing is known", seed)
		}
		points := [][]float64{append([]float64(nil), f.y...)}
		for k := range 1 << n {
			w := make([]float64, n)
			for i := range w {
				w[i] = float64(k>>i&1)*2 - 1
			}
			points = append(points, w)
		}
		for range 20 {
			w := make([]float64, n)
			for i := range w {
				w[i] = 2*rng.Float64() - 1
			}
			points = append(points, w)
		}
		for _, w := range points {
			var form, square [][]float64
			for i, x := range w {
				form = append(form, []float64{h[i], x})
				for j, y := range w {
					square = append(square, []float64{q[i*n+j], x, y})
				}
			}
			if d := new(big.Rat).Sub(exactly(square...), exactly(append(form, []float64{c})...)); d.Sign() < 0 {
				x, _ := d.Float64()
				t.Fatalf("seed %d, at %v: the form is %g above", seed, w, -x)
			}
		}
	}
}

// TestAConvexQuadraticIsTouchedWhereItIsLeast: of convex ones nothing is lost but rounding, so that the least value of the form over the box is the
// least of the whole, and a grid finds none below it but for its width.
func TestAConvexQuadraticIsTouchedWhereItIsLeast(t *testing.T) {
	for seed := range uint64(100) {
		rng := rand.New(rand.NewPCG(seed, 18))
		n := 1 + rng.IntN(3)
		f := newQuadratic(n)
		for range n {
			v := make([]float64, n)
			for i := range v {
				v[i] = rng.NormFloat64()
			}
			for i := range n {
				for j := range n {
					f.q[i*n+j] += v[i] * v[j]
				}
			}
		}
		q := append([]float64(nil), f.q...)
		g, h := make([]float64, n), make([]float64, n)
		for i := range g {
			g[i] = 3 * rng.NormFloat64()
		}
		low := f.under(g, h)
		for i := range h {
			low -= math.Abs(g[i] + h[i])
		}
		at := func(w []float64) (y float64) {
			for i, x := range w {
				y += g[i] * x
				for j, z := range w {
					y += q[i*n+j] * x * z
				}
			}
			return y
		}
		const steps = 40
		best := at(f.y)
		for k := range int(math.Pow(steps+1, float64(n))) {
			w := make([]float64, n)
			for i := range w {
				w[i] = -1 + 2*float64(k%(steps+1))/steps
				k /= steps + 1
			}
			best = min(best, at(w))
		}
		if low > best || low < best-1e-2*(1+math.Abs(best)) {
			t.Errorf("seed %d: the form's least value is %g, that of the whole %g", seed, low, best)
		}
	}
}

package operators

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

// TestIntervalsOfMod: what is left of numbers of an interval lies in the interval that bounds have, by exact arithmetic, next to multiples of the
// divisor too; and of one number, that is no multiple, bounds know what is left but for rounding.
func TestIntervalsOfMod(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 14))
	known := 0
	for range 200_000 {
		b := math.Ldexp(float64(1+rng.IntN(99)), rng.IntN(20)-10) * float64(1-2*rng.IntN(2))
		near := func() float64 { // a multiple, or next to it
			a := b * float64(rng.IntN(9)-4)
			switch rng.IntN(4) {
			case 0:
				return math.Nextafter(a, math.Inf(1-2*rng.IntN(2)))
			case 1:
				return a
			}
			return a + b*(rng.Float64()-0.5)
		}
		l, u := near(), near()
		if rng.IntN(3) == 0 {
			u = l
		}
		l, u = min(l, u), max(l, u)
		fmod := rng.IntN(2) == 1
		x, y := floats([]float64{0}), floats([]float64{b})
		n := &onnxio.Node{Op: "Mod", Opset: 28, Attrs: onnxio.Attrs{"fmod": int64(0)}, Inputs: []*onnxio.Value{x, y},
			Outputs: []*onnxio.Value{floats([]float64{0})}}
		if fmod {
			n.Attrs["fmod"] = int64(1)
		}
		box := func(l, u float64) relax.Box { return relax.Box{Lower: []float64{l}, Upper: []float64{u}} }
		out, err := modInterval(n, []relax.Box{box(l, u), box(b, b)})
		if err != nil {
			t.Fatal(err)
		}
		lo, hi := out[0].Lower[0], out[0].Upper[0]
		for _, a := range []float64{l, u, l + (u-l)*rng.Float64(), l + (u-l)*rng.Float64()} {
			if a = min(max(a, l), u); !holds(lo, hi, leftOf(a, b, fmod)) {
				t.Fatalf("%v modulo %v (fmod %t) is %v, and not in [%v, %v], of [%v, %v]", a, b, fmod, leftOf(a, b, fmod), lo, hi, l, u)
			}
		}
		if l == u {
			known++
			if hi-lo > 1e-15*math.Abs(b) {
				t.Fatalf("%v modulo %v (fmod %t) is bounded by [%v, %v]", l, b, fmod, lo, hi)
			}
		}
	}
	if known < 10_000 {
		t.Errorf("%d points are too few to tell anything", known)
	}
}

// leftOf is a modulo b.
func leftOf(a, b float64, fmod bool) *big.Rat {
	x, y := new(big.Rat).SetFloat64(a), new(big.Rat).SetFloat64(b)
	q := new(big.Rat).Quo(x, y)
	whole := new(big.Int)
	if fmod {
		whole.Quo(q.Num(), q.Denom())
	} else {
		whole.Div(q.Num(), q.Denom()) // Euclid's, which is the floor where the denominator is positive
	}
	return x.Sub(x, y.Mul(y, new(big.Rat).SetInt(whole)))
}

func holds(lo, hi float64, x *big.Rat) bool {
	return new(big.Rat).SetFloat64(lo).Cmp(x) <= 0 && new(big.Rat).SetFloat64(hi).Cmp(x) >= 0
}

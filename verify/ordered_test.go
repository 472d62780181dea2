package verify

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// TestOrdersNeedNoSoftmax: what is asked of the order of outputs has the same answer with a last Softmax and without it, more is proven without, and
// no point that was run meets a case of what is verified. What asks more than the order is not taken for it.
func TestOrdersNeedNoSoftmax(t *testing.T) {
	t.Parallel()
	verdicts := map[string]int{}
	for seed := range uint64(draws(t, "SHOAL_SOFTMAX", 150, 40)) {
		rng := rand.New(rand.NewPCG(seed, 57))
		const in, out = 2, 3
		b, x := newBuilder(rng, 1, in)
		y := b.dense(b.node("Relu", nil, b.dense(x, in, 6)), 6, out)
		b.g.Outputs = []*onnxio.Value{b.node([]string{"Softmax", "LogSoftmax"}[seed%2], onnxio.Attrs{"axis": int64(1)}, y)}
		at := []float64{rng.NormFloat64(), rng.NormFloat64()}
		size := math.Exp2(-float64(rng.IntN(6)))
		box := Box{Lower: []float64{at[0] - size, at[1] - size}, Upper: []float64{at[0] + size, at[1] + size}}
		var p Property
		for range 1 + rng.IntN(2) {
			c := Case{Box: box}
			for range 1 + rng.IntN(2) {
				i := rng.IntN(out)
				by := big.NewRat(1+rng.Int64N(5), 3)
				c.Constraints = append(c.Constraints, Constraint{Index: []int{i, (i + 1 + rng.IntN(out-1)) % out},
					Coef: []*big.Rat{by, new(big.Rat).Neg(by)}, Bound: new(big.Rat), Strict: rng.IntN(2) == 0})
			}
			p.Cases = append(p.Cases, c)
		}
		if !p.Ordered() {
			t.Fatalf("seed %d: %+v asks for orders alone", seed, p)
		}
		var rs [2]Result
		var err error
		for k, drop := range []bool{false, true} {
			v := openGraph(t, b.g, Options{Method: DeepPoly, Threads: 1, DropSoftmax: drop})
			if v.Info().SoftmaxDropped != drop {
				t.Fatalf("seed %d: the Softmax is dropped: %v", seed, !drop)
			}
			if rs[k], err = v.Verify(context.Background(), p); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if rs[k].Verdict != Verified {
				continue
			}
			for _, x := range samplePoints(rng, box, 100) {
				in := make([]float32, len(x))
				for i, f := range x {
					in[i] = float32(f)
				}
				y, err := v.Predict(context.Background(), in)
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range p.Cases {
					if farApart(y) && c.met(y) {
						t.Fatalf("seed %d: verified, and %v gives %v", seed, x, y)
					}
				}
			}
		}
		with, without := rs[0].Verdict, rs[1].Verdict
		if with == Verified && without == Falsified || with == Falsified && without == Verified {
			t.Errorf("seed %d: %s with the Softmax, %s without", seed, with, without)
		}
		verdicts[fmt.Sprint(with, " ", without)]++
	}
	t.Logf("with and without: %v", verdicts)
	if verdicts["unknown verified"] == 0 || verdicts["falsified falsified"] == 0 {
		t.Error("too few of a kind to tell anything")
	}
	one, two := big.NewRat(1, 1), big.NewRat(-2, 1)
	for _, q := range []Constraint{
		{Index: []int{0, 1}, Coef: []*big.Rat{one, two}, Bound: new(big.Rat)},
		{Index: []int{0, 1}, Coef: []*big.Rat{one, big.NewRat(-1, 1)}, Bound: one},
		{Index: []int{0}, Coef: []*big.Rat{one}, Bound: new(big.Rat)},
		{Index: []int{0, 0}, Coef: []*big.Rat{one, big.NewRat(-1, 1)}, Bound: new(big.Rat)},
		{Index: []int{0, 1}, Coef: []*big.Rat{one, nil}, Bound: new(big.Rat)},
		{Index: []int{0, 1}, Coef: []*big.Rat{one, big.NewRat(-1, 1)}},
	} {
		if (Property{Cases: []Case{{Constraints: []Constraint{q}}}}).Ordered() {
			t.Errorf("%+v is taken for a question of order", q)
		}
	}
	if (Property{}).Ordered() {
		t.Error("nothing is asked, and it is taken for a question of order")
	}
}

// farApart tells whether no two outputs are so near that their rounding could turn them round.
func farApart(y []float64) bool {
	for i, a := range y {
		for _, b := range y[:i] {
			if math.Abs(a-b) < 1e-5 {
				return false
			}
		}
	}
	return true
}

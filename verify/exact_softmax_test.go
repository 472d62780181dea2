package verify

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify/vnnlib"
)

// TestDroppedSoftmaxAgainstExecutions: a verdict about the order of outputs behind a last Softmax or LogSoftmax, which bounds leave out, is
// one about the file's outputs: logits that nearly tie, and probabilities that are too small for float32, are the adversary.
func TestDroppedSoftmaxAgainstExecutions(t *testing.T) {
	t.Parallel()
	nets := draws(t, "SHOAL_SOFTMAX", 300, 80)
	from := uint64(fromEnv(t, "SHOAL_SEED", 0))
	why := withoutORT(t)
	verdicts := map[string]int{}
	wrong := 0
	for seed := from; seed < from+uint64(nets); seed++ {
		rng := rand.New(rand.NewPCG(seed, 31))
		in, n := 1+rng.IntN(2), 2+rng.IntN(4)
		m := &mixer{builder: &builder{rng: rng, g: &onnxio.Graph{Name: "softmax"}}, opset: []int{11, 13, 17}[rng.IntN(3)]}
		x := m.input(1, in)
		w, b := m.floats(math.Exp2(float64(rng.IntN(24)-16)), n, in), m.floats(math.Exp2(float64(rng.IntN(12)-3)), n)
		if rng.IntN(2) == 0 { // two classes side by side
			b.Const.F32()[1] = b.Const.F32()[0] + float32(logUniform(rng, -26, -8))
		}
		y := m.add("Gemm", onnxio.Attrs{"transB": int64(1)}, x, w, b)
		kind := []string{"Softmax", "LogSoftmax"}[rng.IntN(2)]
		m.g.Outputs = []*onnxio.Value{m.add(kind, onnxio.Attrs{"axis": int64(1)}, y)}
		lo, up := make([]*big.Rat, in), make([]*big.Rat, in)
		for i := range in {
			c, r := float32(rng.NormFloat64()), float32(math.Exp2(float64(-rng.IntN(20))))
			lo[i], up[i] = new(big.Rat).SetFloat64(float64(c-r)), new(big.Rat).SetFloat64(float64(c+r))
		}
		runs, refused := executions(t, m.g)
		if refused != nil {
			t.Fatal(refused)
		}
		for _, sem := range []Semantics{Real, Float32} {
			v, err := Open(context.Background(), &onnxio.Model{Graph: m.g}, Options{Semantics: sem, Threads: 1, DropSoftmax: true})
			if err != nil {
				t.Fatal(err)
			}
			if !v.Info().SoftmaxDropped {
				t.Fatalf("seed %d: the %s stays", seed, kind)
			}
			for range 6 {
				i := rng.IntN(n)
				k := (i + 1 + rng.IntN(n-1)) % n
				a := vnnlib.Atom{Index: []int{min(i, k), max(i, k)}, Coef: []*big.Rat{big.NewRat(1, 1), big.NewRat(-1, 1)},
					Bound: new(big.Rat), Strict: rng.IntN(2) == 0}
				if rng.IntN(2) == 0 {
					a.Coef[0], a.Coef[1] = a.Coef[1], a.Coef[0]
				}
				asked := []exactCase{{Case: vnnlib.Case{Lower: lo, Upper: up, Atoms: []vnnlib.Atom{a}}}}
				if rng.IntN(2) == 0 { // output i above each of the others
					asked = nil
					for k := range n {
						if k != i {
							b := vnnlib.Atom{Index: []int{i, k}, Coef: []*big.Rat{big.NewRat(1, 1), big.NewRat(-1, 1)}, Bound: new(big.Rat), Strict: a.Strict}
							asked = append(asked, exactCase{Case: vnnlib.Case{Lower: lo, Upper: up, Atoms: []vnnlib.Atom{b}}})
						}
					}
				}
				q := &vnnlib.Query{Inputs: in, Outputs: n}
				for _, c := range asked {
					q.Cases = append(q.Cases, c.Case)
				}
				p := FromVNNLIB(q)
				r, err := v.Verify(context.Background(), p)
				if errors.Is(err, ErrInput) {
					verdicts[fmt.Sprint(sem, " refused")]++
					continue
				}
				if err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				verdicts[fmt.Sprint(sem, " ", r.Verdict)]++
				if sem == Real || r.Verdict != Verified {
					continue
				}
				box := Box{Lower: floats(lo), Upper: floats(up)}
				for _, at := range pointsIn32(rng, box, 16) {
					for _, e := range runs {
						if e.flushes && hasSubnormal(at) {
							continue
						}
						y, err := e.run(at)
						if err != nil {
							t.Fatal(err)
						}
						if !slices.ContainsFunc(asked, func(c exactCase) bool { return metBy(c.Atoms, wide(y), true) }) {
							continue
						}
						if wrong++; wrong <= 10 {
							what := fmt.Sprintf("seed %d, %s: verified, and %s gives %v at %v, which meets\n%s", seed, sem, e.name, y, at, tellCases(asked))
							t.Error(what)
							keep(t, fmt.Sprintf("softmax_%d", seed), m.g, box, what)
						}
					}
				}
			}
			v.Close()
		}
		for _, e := range runs {
			e.close()
		}
	}
	t.Logf("verdicts %v, %d wrong", verdicts, wrong)
	if verdicts["float32 verified"]*8 < nets {
		t.Error("too few are verified to tell anything")
	}
	if why != "" {
		t.Skipf("the Go engine alone was compared: %s", why)
	}
}

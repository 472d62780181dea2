package verify

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// The oracle of the exact tests beside what it is an oracle of.

// TestRegionsAreTheNetwork: at every corner of a region the network, evaluated there alone, has the corner's values, and the value of
// any point of the box lies between the corners' least and largest.
func TestRegionsAreTheNetwork(t *testing.T) {
	t.Parallel()
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 77))
		net, lower, upper := drawExact(rng, seed)
		rs, ok := net.regions(lower, upper)
		if !ok {
			continue
		}
		value := func(x []*big.Rat) []*big.Rat {
			at, _ := net.regions(x, x)
			return at[0][0].cur
		}
		least, most := make([]*big.Rat, net.out), make([]*big.Rat, net.out)
		for _, r := range rs {
			for _, p := range r {
				for i, v := range value(p.x) {
					if v.Cmp(p.cur[i]) != 0 {
						t.Fatalf("seed %d: output %d at a corner is %v, the network gives %v there", seed, i, p.cur[i], v)
					}
					if least[i] == nil || v.Cmp(least[i]) < 0 {
						least[i] = v
					}
					if most[i] == nil || v.Cmp(most[i]) > 0 {
						most[i] = v
					}
				}
			}
		}
		for range 20 {
			x, _ := inside(rng, lower, upper)
			for i, v := range value(x) {
				if v.Cmp(least[i]) < 0 || v.Cmp(most[i]) > 0 {
					t.Fatalf("seed %d: output %d is %v in the box, the corners have %v to %v", seed, i, v, least[i], most[i])
				}
			}
		}
	}
}

// TestExactImagesAreTheirGraphs: what an image's network is by the standard's definition, in rational numbers, is what both engines compute.
func TestExactImagesAreTheirGraphs(t *testing.T) {
	t.Parallel()
	ops := map[string]int{}
	why := withoutORT(t)
	for seed := range uint64(draws(t, "SHOAL_IMAGES", 600, 200)) {
		rng := rand.New(rand.NewPCG(seed, 78))
		net := drawImage(rng)
		if net.double {
			continue
		}
		x := make([]float32, net.in)
		for i := range x {
			x[i] = float32(rng.NormFloat64())
		}
		exact := make([]*big.Rat, net.in)
		for i, f := range x {
			exact[i] = new(big.Rat).SetFloat64(float64(f))
		}
		for _, s := range net.steps {
			if ops[s.kind]++; s.node != nil {
				ops[s.node.op]++
			}
		}
		at, _ := net.regions(exact, exact)
		want := floats(at[0][0].cur)
		g := net.graph()
		g.Outputs[0].Shape = []int{1, net.out}
		runs, refused := executions(t, g)
		if refused != nil {
			t.Fatalf("seed %d: %v", seed, refused)
		}
		for _, e := range runs {
			y, err := e.run(x)
			if err != nil {
				t.Fatalf("seed %d, %s: %v", seed, e.name, err)
			}
			const rounding = 1e-3 // of layers whose sums cancel; a wrong pixel is off by its weight
			for i, f := range wide(y) {
				if len(y) != len(want) || math.Abs(f-want[i]) > rounding*(1+math.Abs(want[i])) {
					t.Fatalf("seed %d: %s gives %v, the definition %v\n%s", seed, e.name, y, want, describe(g))
				}
			}
			e.close()
		}
	}
	t.Logf("steps: %v", ops)
	for _, op := range []string{"Conv", "ConvTranspose", "MaxPool", "AveragePool", "GlobalMaxPool", "ReduceMax", "BatchNormalization", "Slice", "Concat",
		"HardSigmoid", "PRelu"} {
		if ops[op] == 0 {
			t.Errorf("no %s was drawn", op)
		}
	}
	if why != "" {
		t.Skipf("the Go engine alone was compared: %s", why)
	}
}

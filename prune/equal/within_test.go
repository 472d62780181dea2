package equal_test

import (
	"context"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/prune/equal"
	"github.com/shallow-waters/shoal/verify"
)

// TestLimitsOfDifferencesHold asks about limits around the largest difference that sampling and climbing find: what is called proven is never passed,
// and what is called refuted is passed by the counterexample, run in float64 through both networks.
func TestLimitsOfDifferencesHold(t *testing.T) {
	networks := 12
	if testing.Short() {
		networks = 4
	}
	said := limitsOfDifferences(t, networks, 10*time.Second)
	for slow := time.Duration(4); slow <= 64 && !enoughSaid(said, networks) && !t.Failed(); slow *= 4 { // a slow machine needs more time for as much
		t.Logf("verdicts %v of %d networks", said, networks)
		said = limitsOfDifferences(t, networks, slow*10*time.Second)
	}
	if !enoughSaid(said, networks) {
		t.Errorf("verdicts %v of %d networks: too few to show anything", said, networks)
	}
	if _, err := equal.CompareWithin(context.Background(), layers(rand.New(rand.NewPCG(0, 6)), 0), layers(rand.New(rand.NewPCG(0, 6)), 1), "", pixels,
		big.NewRat(-1, 2), 0, verify.Options{}); err == nil {
		t.Error("a limit below 0 was taken")
	}
}

func enoughSaid(said map[verify.Verdict]int, networks int) bool {
	return said[verify.Verified] >= networks/2 && said[verify.Falsified] >= networks
}

// limitsOfDifferences asks all questions once, each for so long at most.
func limitsOfDifferences(t *testing.T, networks int, longest time.Duration) (said map[verify.Verdict]int) {
	said = map[verify.Verdict]int{}
	for seed := range networks {
		rng := rand.New(rand.NewPCG(uint64(seed), 5))
		w := func(d float64) *onnxio.Model { return layers(rand.New(rand.NewPCG(uint64(seed), 6)), d) }
		a, b := w(0), w(0.01)
		apart := func(x []float64) float64 {
			in := onnxio.FromFloat64(x, 1, 3)
			p, q := outputs(t, a.Graph, in), outputs(t, b.Graph, in)
			worst := 0.0
			for i := range p {
				worst = max(worst, math.Abs(p[i]-q[i]))
			}
			return worst
		}
		most, at := 0.0, make([]float64, 3)
		for k := range 400 {
			x := make([]float64, 3)
			for i := range x {
				if x[i] = rng.Float64(); k > 200 {
					x[i] = min(1, max(0, at[i]+0.1*rng.NormFloat64()))
				}
			}
			if d := apart(x); d > most {
				most, at = d, x
			}
		}
		for _, share := range []float64{0.5, 0.95, 1.05, 2} {
			limit := new(big.Rat).SetFloat64(share * most)
			c, err := equal.CompareWithin(context.Background(), a, b, "", pixels, limit, longest, verify.Options{Method: verify.DeepPoly})
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			proven := c.Delta <= share*most*(1+1e-15)
			if proven && share < 1 {
				t.Errorf("seed %d: proven to differ by at most %v, and inputs %v differ by %v", seed, c.Delta, at, most)
			}
			if c.Within == nil {
				continue
			}
			said[c.Within.Verdict]++
			if proven != (c.Within.Verdict == verify.Verified) {
				t.Errorf("seed %d: %s, and the difference is at most %v of %v", seed, c.Within.Verdict, c.Delta, share*most)
			}
			if x := c.Within.Counterexample; x != nil {
				var in []float64
				for _, v := range x.Inputs {
					in = append(in, float64(v))
				}
				if d := apart(in); !(d > share*most*(1-1e-6)) {
					t.Errorf("seed %d: inputs %v were to differ by more than %v: %v", seed, in, share*most, d)
				}
			}
		}
	}
	return said
}

// layers draws a network of three inputs, twelve hinges twice and two outputs, its weights moved by about d.
func layers(rng *rand.Rand, d float64) *onnxio.Model {
	g := &onnxio.Graph{Name: "layers"}
	x := &onnxio.Value{Name: "x", DType: onnxio.Float, HasShape: true, Dims: []onnxio.Dim{{Size: 1}, {Size: 3}}}
	g.Inputs = []*onnxio.Value{x}
	node := func(name, op string, in ...*onnxio.Value) *onnxio.Value {
		n := &onnxio.Node{Name: name, Op: op, Opset: 17, Inputs: in}
		v := &onnxio.Value{Name: name, DType: onnxio.Float, Producer: n}
		n.Outputs = []*onnxio.Value{v}
		g.Nodes = append(g.Nodes, n)
		return v
	}
	sizes := []int{3, 12, 12, 2}
	for i := range 3 {
		from, to := sizes[i], sizes[i+1]
		f := make([]float32, from*to)
		for k := range f {
			f[k] = float32((rng.NormFloat64() + d*rng.NormFloat64()) / math.Sqrt(float64(from)))
		}
		name := string(rune('a' + i))
		x = node(name+"z", "MatMul", x, &onnxio.Value{Name: name + "w", DType: onnxio.Float, HasShape: true, Shape: []int{from, to},
			Dims: []onnxio.Dim{{Size: from}, {Size: to}}, Const: onnxio.FromFloat32(f, from, to)})
		if i < 2 {
			x = node(name, "Relu", x)
		}
	}
	g.Outputs = []*onnxio.Value{x}
	return &onnxio.Model{Graph: g}
}

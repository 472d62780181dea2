package verify

import (
	"context"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify/vnnlib"
)

func rat(t *testing.T, s string) *big.Rat {
	t.Helper()
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		t.Fatal(s)
	}
	return r
}

// relu opens y = max(x, 0) of one number.
func openRelu(t *testing.T, o Options) *Verifier {
	t.Helper()
	x := &onnxio.Value{Name: "x", DType: onnxio.Float, HasShape: true, Dims: []onnxio.Dim{{Size: 1}, {Size: 1}}}
	y := &onnxio.Value{Name: "y", DType: onnxio.Float, HasShape: true, Dims: []onnxio.Dim{{Size: 1}, {Size: 1}}}
	m, err := onnxio.NewModel(&onnxio.Graph{Name: "relu", Inputs: []*onnxio.Value{x}, Outputs: []*onnxio.Value{y},
		Nodes: []*onnxio.Node{{Name: "r", Op: "Relu", Inputs: []*onnxio.Value{x}, Outputs: []*onnxio.Value{y}, Opset: 13, Attrs: onnxio.Attrs{}}}}, "test")
	if err != nil {
		t.Fatal(err)
	}
	v, err := Open(context.Background(), m, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return v
}

// pointProperty is violated if the input x gives an output that is at most (or below) bound.
func pointProperty(x, bound *big.Rat, strict bool) Property {
	return FromVNNLIB(&vnnlib.Query{Inputs: 1, Outputs: 1, Cases: []vnnlib.Case{{Lower: []*big.Rat{x}, Upper: []*big.Rat{x},
		Atoms: []vnnlib.Atom{{Index: []int{0}, Coef: []*big.Rat{big.NewRat(1, 1)}, Bound: bound, Strict: strict}}}}})
}

func TestRealCounterexamples(t *testing.T) {
	v := openRelu(t, Options{})
	for _, c := range []struct {
		x, bound string
		strict   bool
		want     []Verdict
	}{
		{"0.1", "0.2", false, []Verdict{Falsified}},
		{"0.1", "0.1000001", true, []Verdict{Falsified}},
		{"0.1", "0.1", true, []Verdict{Verified, Unknown}}, // y is 0.1, and not below it
		{"0.1", "0.1", false, []Verdict{Falsified, Unknown}},
		{"0.1", "0.0999999", false, []Verdict{Verified}},
		{"-0.3", "0", false, []Verdict{Falsified, Unknown}}, // on the border
		{"-0.3", "0", true, []Verdict{Verified, Unknown}},
		{"-0.3", "0.001", true, []Verdict{Falsified}},
	} {
		r, err := v.Verify(context.Background(), pointProperty(rat(t, c.x), rat(t, c.bound), c.strict))
		if err != nil {
			t.Fatal(err)
		}
		good := false
		for _, w := range c.want {
			good = good || r.Verdict == w
		}
		if !good {
			t.Errorf("x = %s, y <= %s (strict %v): %s, %s", c.x, c.bound, c.strict, r.Verdict, r.Reason)
		}
		if r.Verdict == Falsified && !r.Counterexample.Nearest {
			t.Errorf("x = %s: the counterexample is said to lie in a box without float32s", c.x)
		}
	}
}

// TestRealVerdictsOfPointsAreRight decides random decimal points exactly and compares.
func TestRealVerdictsOfPointsAreRight(t *testing.T) {
	v := openRelu(t, Options{})
	rng := rand.New(rand.NewPCG(6, 1))
	decided := 0
	for range 400 {
		x := big.NewRat(rng.Int64N(2_000_001)-1_000_000, 1_000_003)
		bound := new(big.Rat).Add(x, big.NewRat(rng.Int64N(7)-3, int64(1)<<uint(rng.IntN(60))))
		strict := rng.IntN(2) == 0
		y := new(big.Rat).Set(x)
		if y.Sign() < 0 {
			y.SetInt64(0)
		}
		cmp := y.Cmp(bound)
		violated := cmp < 0 || cmp == 0 && !strict
		r, err := v.Verify(context.Background(), pointProperty(x, bound, strict))
		if err != nil {
			t.Fatal(err)
		}
		if r.Verdict == Falsified && !violated || r.Verdict == Verified && violated {
			t.Fatalf("x = %v, bound %v, strict %v: %s", x, bound, strict, r.Verdict)
		}
		if r.Verdict != Unknown {
			decided++
		}
	}
	if decided < 200 {
		t.Errorf("only %d of 400 are decided", decided)
	}
}

// TestRealCounterexamplesAreForRealSemantics: no float32 execution starts in such a box.
func TestRealCounterexamplesAreForRealSemantics(t *testing.T) {
	v := openRelu(t, Options{Semantics: Float32})
	r, err := v.Verify(context.Background(), pointProperty(rat(t, "0.1"), rat(t, "0.2"), false))
	if err != nil || r.Verdict == Falsified {
		t.Errorf("%s, %v", r.Verdict, err)
	}
}

package verify

import (
	"bytes"
	"context"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify/recheck"
	"github.com/shallow-waters/shoal/verify/vnnlib"
)

// TestWhatASearchTellsIsFollowed: leaves that the search over sides tells a certificate rest on what a certificate can say. So the plain pass proves
// them as they are, and the certificate has hardly more parts than the search had leaves; of a search that knows more than can be said (covers of
// hinges, where a case could be met) it has many more.
func TestWhatASearchTellsIsFollowed(t *testing.T) {
	ctx := context.Background()
	leaves, parts, nets := 0, 0, 0
	for seed := range uint64(fromEnv(t, "SHOAL_FOLLOWED", 6)) {
		rng := rand.New(rand.NewPCG(seed, 211))
		const in, width = 30, 16
		b, x := newBuilder(rng, 1, in)
		for k, n := range []int{width, width, width} {
			from := width
			if k == 0 {
				from = in
			}
			x = b.node("Relu", nil, b.dense(x, from, n))
		}
		b.g.Outputs = []*onnxio.Value{b.dense(x, width, 2)}
		m, err := onnxio.NewModel(b.g, "test")
		if err != nil {
			t.Fatal(err)
		}
		v, err := Open(ctx, m, Options{Threads: 1, Method: DeepPoly, sides: true, rows: true})
		if err != nil {
			t.Fatal(err)
		}
		lower, upper := make([]float64, in), make([]float64, in)
		one := vnnlib.Case{}
		for i := range lower {
			lower[i] = rng.NormFloat64()
			upper[i] = lower[i] + 0.25
			one.Lower, one.Upper = append(one.Lower, new(big.Rat).SetFloat64(lower[i])), append(one.Upper, new(big.Rat).SetFloat64(upper[i]))
		}
		// Somewhat more than halfway from what rows of the whole box prove to what points have.
		bounds, err := v.bound(ctx, v.o, DeepPoly, Box{Lower: lower, Upper: upper})
		if err != nil {
			t.Fatal(err)
		}
		row := []float64{1, -1}
		low, err := bounds.Lower([][]float64{row}, []int32{0}, nil)
		if err != nil {
			t.Fatal(err)
		}
		bounds.Close()
		least := 0.0
		for k, p := range onPoints(t, v, samplePoints(rng, Box{Lower: lower, Upper: upper}, 500)) {
			if y := p.row(row); k == 0 || y < least {
				least = y
			}
		}
		limit := new(big.Rat).SetFloat64(low[0] + 0.6*(least-low[0]))
		one.Atoms = []vnnlib.Atom{{Index: []int{0, 1}, Coef: []*big.Rat{big.NewRat(1, 1), big.NewRat(-1, 1)}, Bound: limit}}
		claim, err := ClaimVNNLIB(&vnnlib.Query{Inputs: in, Outputs: 2, Cases: []vnnlib.Case{one}})
		if err != nil {
			t.Fatal(err)
		}
		found, _, err := v.proofs(ctx, claim)(0)
		if err != nil {
			t.Fatal(err)
		}
		var w bytes.Buffer
		n, err := v.Certificate(ctx, claim, Result{Verdict: Verified}, &w)
		v.Close()
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if r, err := recheck.Check(ctx, &w, m, &claim); err != nil || !r.Accepted {
			t.Errorf("seed %d: what was written is not accepted: %v %s", seed, err, r.Reason)
		}
		t.Logf("seed %d: %d leaves, %d parts", seed, len(found), n)
		leaves, parts, nets = leaves+len(found), parts+n, nets+1
	}
	t.Logf("%d networks: %d leaves, %d parts", nets, leaves, parts)
	if leaves < 6*nets || 10*parts > 11*leaves {
		t.Errorf("%d networks: %d leaves, and %d parts of certificates", nets, leaves, parts)
	}
}

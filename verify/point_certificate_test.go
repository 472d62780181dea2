package verify

import (
	"bytes"
	"context"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify/certificate"
	"github.com/shallow-waters/shoal/verify/recheck"
)

// TestPointsBesideFloat32sHaveCertificates: a box that holds no float32 has counterexamples of the real numbers, and what is given of one are the
// nearest float32s. Its certificate has a point of the box.
func TestPointsBesideFloat32sHaveCertificates(t *testing.T) {
	ctx := context.Background()
	rng := rand.New(rand.NewPCG(3, 213))
	b, x := newBuilder(rng, 1, 4)
	y := b.dense(b.node("Relu", nil, b.dense(x, 4, 5)), 5, 2)
	y.DType, y.HasShape, y.Dims = onnxio.Float, true, []onnxio.Dim{{Size: 1}, {Size: 2}}
	b.g.Outputs = []*onnxio.Value{y}
	m, err := onnxio.NewModel(b.g, "test")
	if err != nil {
		t.Fatal(err)
	}
	v, err := Open(ctx, m, Options{Threads: 1, Method: Complete})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	tenth := big.NewRat(1, 10)
	wide := certificate.Box{Lower: []*big.Rat{tenth, tenth, tenth, tenth}, Upper: []*big.Rat{tenth, tenth, tenth, big.NewRat(1, 2)}}
	other := certificate.Box{Lower: wide.Lower, Upper: []*big.Rat{tenth, tenth, tenth, big.NewRat(1, 10)}}
	never := certificate.Constraint{Index: []int{0}, Coef: []*big.Rat{big.NewRat(1, 1)}, Bound: big.NewRat(-1000, 1)}
	always := certificate.Constraint{Index: []int{1}, Coef: []*big.Rat{big.NewRat(1, 1)}, Bound: big.NewRat(1000, 1)}
	for _, p := range []certificate.Property{
		{Inputs: 4, Outputs: 2, Boxes: []certificate.Box{wide}, Cases: []certificate.Case{{Constraints: []certificate.Constraint{always}}}},
		{Inputs: 4, Outputs: 2, Boxes: []certificate.Box{wide, other}, Cases: []certificate.Case{
			{Constraints: []certificate.Constraint{never}}, {Box: 1, Constraints: []certificate.Constraint{always}}}},
	} {
		claim, err := p.Normal()
		if err != nil {
			t.Fatal(err)
		}
		r, err := v.Verify(ctx, FromClaim(claim))
		if err != nil || r.Verdict != Falsified || r.FalsifiedIn != Real {
			t.Fatalf("%v in %v (%v): %s", r.Verdict, r.FalsifiedIn, err, r.Reason)
		}
		var w bytes.Buffer
		if _, err := v.Certificate(ctx, claim, r, &w); err != nil {
			t.Fatal(err)
		}
		if r, err := recheck.Check(ctx, &w, m, &claim); err != nil || !r.Accepted {
			t.Errorf("what was written is not accepted: %v %s", err, r.Reason)
		}
	}
}

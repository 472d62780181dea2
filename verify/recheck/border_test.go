package recheck_test

import (
	"bytes"
	"context"
	"math/big"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify"
	"github.com/shallow-waters/shoal/verify/certificate"
	"github.com/shallow-waters/shoal/verify/recheck"
)

// TestPointsOnTheBorder: of max(x, 0) nothing is rounded, so that a point on the border of a case meets it, and not where the border is no part
// of it.
func TestPointsOnTheBorder(t *testing.T) {
	ctx := context.Background()
	value := func(name string) *onnxio.Value {
		return &onnxio.Value{Name: name, DType: onnxio.Float, HasShape: true, Dims: []onnxio.Dim{{Size: 1}, {Size: 1}}}
	}
	x, y := value("x"), value("y")
	bend := &onnxio.Node{Name: "bend", Op: "Relu", Inputs: []*onnxio.Value{x}, Outputs: []*onnxio.Value{y}, Attrs: onnxio.Attrs{}, Opset: 13}
	y.Producer = bend
	m, err := onnxio.NewModel(&onnxio.Graph{Name: "bend", Inputs: []*onnxio.Value{x}, Outputs: []*onnxio.Value{y}, Nodes: []*onnxio.Node{bend}}, "shoal")
	if err != nil {
		t.Fatal(err)
	}
	rat := func(n int64) *big.Rat { return big.NewRat(n, 1) }
	claim := func(coef, bound int64, strict bool) certificate.Property {
		p := certificate.Property{Inputs: 1, Outputs: 1, Boxes: []certificate.Box{{Lower: []*big.Rat{rat(0)}, Upper: []*big.Rat{rat(2)}}}}
		q := certificate.Constraint{Index: []int{0}, Coef: []*big.Rat{rat(coef)}, Bound: rat(bound), Strict: strict}
		p.Cases = []certificate.Case{{Constraints: []certificate.Constraint{q}}}
		p, err := p.Normal()
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	v, err := verify.Open(ctx, m, verify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	var own bytes.Buffer
	if _, err := v.Certificate(ctx, claim(1, -1, false), verify.Result{Verdict: verify.Verified}, &own); err != nil {
		t.Fatal(err)
	}
	r, err := certificate.NewReader(&own)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		coef, bound int64
		strict      bool
		point       int64
		want        bool
	}{{1, 1, false, 1, true}, {1, 1, true, 1, false}, {1, 2, true, 1, true}, {1, 0, false, 1, false},
		{-1, -1, false, 1, true}, {-1, -1, true, 1, false}, {-1, 0, true, 1, true}, {-1, 0, true, 0, false}, {-1, 0, false, 0, true}} {
		h := r.Head
		h.Property = claim(c.coef, c.bound, c.strict)
		h.Hash, h.Kind = h.Property.Hash(), certificate.Counterexample
		h.Point = &certificate.Point{Inputs: []*big.Rat{rat(c.point)}}
		var b bytes.Buffer
		w, err := certificate.NewWriter(&b, h)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		got, err := recheck.Check(ctx, &b, m, nil)
		if err != nil || got.Accepted != c.want {
			t.Errorf("%d*y against %d, strict %v, at %d: %v, %+v", c.coef, c.bound, c.strict, c.point, err, got)
		}
	}
}

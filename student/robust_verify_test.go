package student_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/student"
	"github.com/shallow-waters/shoal/verify"
)

// verifierTolerance is float32's rounding in training against float64 with rounding counted: sums of a few hundred terms of about 1.
const verifierTolerance = 2e-5

// TestTrainingBoundsAreTheVerifiers compares what a loss bounds with what the verifier proves of the exported student. Intervals are the same.
// The dual bound is Fast-Lin's, but for neurons of which intervals know the sign and Fast-Lin does not: the verifier asks no rows of those. Its
// deeppoly is no looser than CROWN-IBP on the whole.
func TestTrainingBoundsAreTheVerifiers(t *testing.T) {
	arch, err := student.Parse([]byte(`
input: [2, 7, 6]
layers:
  - {conv: 4, kernel: 4, stride: 2, padding: 1, relu: true}
  - {conv: 6, kernel: 2, padding: 1, relu: true}
  - {dense: 20, relu: true}
  - {dense: 5}
`))
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(4, 4))
	d := &student.Data{Shape: arch.Input, Classes: 5}
	for range 6 {
		d.Labels = append(d.Labels, rng.IntN(5))
		for range d.Size() {
			d.Inputs = append(d.Inputs, rng.Float32())
		}
	}
	tr, err := student.Open(arch, d, nil, student.Config{Batch: 6, Init: "he"}, student.Options{Producer: "test"})
	if err != nil {
		t.Fatal(err)
	}
	m, err := tr.Model()
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	for _, c := range []struct {
		method    string
		o         verify.Options
		unbounded bool
	}{
		{student.IBP, verify.Options{Method: verify.Interval}, false},
		{student.IBP, verify.Options{Method: verify.Interval}, true},
		{student.Dual, verify.Options{Method: verify.FastLin, Plain: true}, false},
		{student.Dual, verify.Options{Method: verify.FastLin, Plain: true}, true},
		{student.CrownIBP, verify.Options{Method: verify.DeepPoly}, false},
	} {
		v, err := verify.Open(ctx, m, c.o)
		if err != nil {
			t.Fatal(err)
		}
		for _, eps := range []float64{0.01, 0.08} {
			got := student.LowerMargins(t, tr, d, c.method, eps, c.unbounded)
			ours, theirs, same := 0.0, 0.0, 0
			for i := range d.Len() {
				var box verify.Box
				for _, x := range d.Inputs[i*d.Size() : (i+1)*d.Size()] {
					lo, hi := float64(x)-eps, float64(x)+eps
					if !c.unbounded {
						lo, hi = max(0, lo), min(1, hi)
					}
					box.Lower, box.Upper = append(box.Lower, lo), append(box.Upper, hi)
				}
				var rows [][]float64
				for k := range 5 {
					row := make([]float64, 5)
					row[d.Labels[i]]++
					row[k]--
					rows = append(rows, row)
				}
				want, err := v.Bounds(ctx, box, rows, false)
				if err != nil {
					t.Fatal(err)
				}
				for k := range 5 {
					if k == d.Labels[i] {
						continue
					}
					g, w := float64(got[i*5+k]), want.Lower[k]
					ours, theirs = ours+g, theirs+w
					near := math.Abs(g-w) <= verifierTolerance*max(1, math.Abs(w))
					if near {
						same++
					}
					if !near && (c.method == student.IBP || c.method == student.Dual && g > w) {
						t.Errorf("%s at %v, sample %d, class %d: training has %v, the verifier %v", c.method, eps, i, k, g, w)
					}
				}
			}
			if c.method == student.Dual && same < 12 {
				t.Errorf("dual at %v: only %d of 24 bounds are the verifier's", eps, same)
			}
			if theirs < ours-verifierTolerance {
				t.Errorf("%s at %v: training's bounds sum to %v, the verifier's to %v", c.method, eps, ours, theirs)
			}
		}
		v.Close()
	}
}

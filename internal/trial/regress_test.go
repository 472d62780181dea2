package trial

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/trial/record"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/verify"
	"github.com/shallow-waters/shoal/verify/falsify"
)

// points are n samples of three numbers, sixteenths from -1 to 1, without a pixel range; targets are what Target gives.
func points(t *testing.T, seed uint64, n int, targets [][]float64) *Samples {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	x := make([]float32, 3*n)
	for i := range x {
		x[i] = float32(rng.IntN(33)-16) / 16
	}
	none, err := dataset.ParsePixelRange("none")
	if err != nil {
		t.Fatal(err)
	}
	src := Source{Name: "points", Size: 3, Labels: slices.Repeat([]int{-1}, n), Valid: none, Pixels: func(dst []float32, i int, _ bool) error {
		copy(dst, x[3*i:3*i+3])
		return nil
	}}
	for i := range n {
		src.Index = append(src.Index, 10+i)
	}
	if targets != nil {
		src.Target = func(i int) []float64 { return targets[i] }
	}
	s, err := Join(src, []int{1, 3}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// asNumbers reads a sketch as a regression with a tolerance, "" for none.
func asNumbers(t *testing.T, m *onnxio.Model, tolerance string) *Subject {
	t.Helper()
	sub, err := Read(context.Background(), m, "", Decision{Kind: Regress})
	if err != nil {
		t.Fatal(err)
	}
	if tolerance != "" {
		if sub.Tolerance, err = ParseTolerance(tolerance); err != nil {
			t.Fatal(err)
		}
	}
	return sub
}

// TestNumbersAgainstExact asks every question of a model that only multiplies: its weights are -2 to 2, so that the outputs get eps times the sum of
// a column's sizes away, exactly, at every sample. Verdicts, radii, bounds and attacks say what that says.
func TestNumbersAgainstExact(t *testing.T) {
	ctx := context.Background()
	const k = 2
	slope := 0.0 // the largest column
	for c := range k {
		sum := 0.0
		for r := range 3 {
			sum += math.Abs(float64((r*k+c)%5) - 2)
		}
		slope = max(slope, sum)
	}
	for _, semantics := range []verify.Semantics{verify.Real, verify.Float32} {
		for _, text := range []string{"1/4", "0.3", "2"} {
			s := newSketch()
			sub := asNumbers(t, s.model(t, s.rows(k)), text)
			tolerance, _ := sub.Tolerance.T.Float64()
			border := tolerance / slope
			search, err := falsify.Open(ctx, sub.Model, falsify.Options{KeepSoftmax: true})
			if err != nil {
				t.Fatal(err)
			}
			defer search.Close()
			v, err := OpenVerifier(ctx, sub, verify.Options{Semantics: semantics, Falsifier: search})
			if err != nil {
				t.Fatal(err)
			}
			defer v.Close()
			q := &Certify{Proofs: Proofs{Subject: sub, Verifier: v, Samples: points(t, 1, 4, nil)}, Semantics: semantics}
			for _, share := range []float64{0.3, 0.999, 1.001, 1.5} {
				q.Eps = append(q.Eps, Eps{share * border, fmt.Sprint(share)})
			}
			radius := &Radius{Proofs: q.Proofs, Max: 4 * border, Tol: border / 100, Search: search}
			for i := range q.Samples.Len() {
				rows, err := q.Ask(ctx, i)
				if err != nil {
					t.Fatal(err)
				}
				for j, row := range rows {
					want := verify.Verified
					if j > 1 {
						want = verify.Falsified
					}
					if row.Verdict != string(want) || row.Label != -1 || row.Predicted != -1 || row.Index != 10+i {
						t.Errorf("%s within %s at %s of the border: %+v", semantics, text, q.Eps[j].Text, row)
					}
					far := float64(*row.Outputs.Farthest)
					if exact := slope * q.Eps[j].Value; !(far >= exact*(1-1e-6)) || far > exact*(1+1e-3)+1e-5 {
						t.Errorf("%s: outputs get at most %v away, exactly %v", semantics, far, exact)
					}
				}
				row, err := radius.Ask(ctx, i)
				if err != nil {
					t.Fatal(err)
				}
				// Values are rounded to float32, and float32 proofs keep off by more.
				if r, u := row.Radius, float64(row.Upper); r > border*(1+1e-5) || r < border*(1-0.02) || u < border*(1-1e-5) || u > border*(1+0.02) {
					t.Errorf("%s within %s: radius %v, broken at %v, the border is %v", semantics, text, r, u, border)
				}
			}
			target, err := OpenTarget(ctx, sub, attack.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer target.Close()
			method, err := attack.ForNumbers(attack.PGD{Steps: 10})
			if err != nil {
				t.Fatal(err)
			}
			a := &Attack{Target: target, Samples: q.Samples, Method: method, Norm: attack.Linf, Eps: q.Eps, Tolerance: sub.Tolerance}
			var all []report.Row
			if _, err := a.Run(ctx, 0, q.Samples.Len(), func(rows []report.Row) error {
				all = append(all, rows...)
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			for i, row := range all {
				if want := i%4 > 1; row.Adversarial != want || want != (float64(*row.Deviation) > tolerance) ||
					float64(*row.Deviation) > slope*q.Eps[i%4].Value*(1+1e-5) {
					t.Errorf("attack within %s at %s of the border: %t, deviation %v", text, q.Eps[i%4].Text, row.Adversarial, *row.Deviation)
				}
			}
			if sums := a.Sums(all); sums[0].Robust != 4 || sums[3].Robust != 0 || !math.IsNaN(float64(sums[0].CleanAccuracy)) || sums[0].Correct != 0 {
				t.Errorf("%+v", sums)
			}
		}
	}
}

// TestBoundsAloneSayNothingIsVerified: without a tolerance rows have no verdict, and sums no share; targets give errors; and what is kept is found
// again.
func TestBoundsAloneSayNothingIsVerified(t *testing.T) {
	ctx := context.Background()
	s := newSketch()
	sub := asNumbers(t, s.model(t, s.rows(2)), "")
	v, err := OpenVerifier(ctx, sub, verify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	samples := points(t, 2, 3, [][]float64{{0, 0}, nil, {1, 1}})
	if err := CheckTargets(&samples.Source, 2); err != nil {
		t.Fatal(err)
	}
	if err := CheckTargets(&samples.Source, 3); err == nil {
		t.Error("two numbers are targets of three outputs")
	}
	path := filepath.Join(t.TempDir(), "records")
	var first []report.Row
	for round := range 2 {
		q := &Certify{Proofs: Proofs{Subject: sub, Verifier: v, Samples: samples}, Eps: []Eps{{0.125, "1/8"}, {0.25, "1/4"}}}
		if q.Records, err = record.Open(path, record.Plan{Question: "certify"}); err != nil {
			t.Fatal(err)
		}
		if round == 1 {
			q.Verifier = nil // whatever is asked again falls
		}
		var rows []report.Row
		for i := range samples.Len() {
			of, err := q.Ask(ctx, i)
			if err != nil {
				t.Fatal(err)
			}
			rows = append(rows, of...)
		}
		q.Records.Close()
		for i, r := range rows {
			o := r.Outputs
			if r.Proof != nil || o == nil || len(o.Lower) != 2 || (o.Target == nil) != (i/2 == 1) || (o.Error == nil) != (i/2 == 1) ||
				(o.Worst == nil) != (i/2 == 1) {
				t.Errorf("%+v, %+v", r, o)
				continue
			}
			for k, y := range o.Values {
				if !(o.Lower[k] <= y && y <= o.Upper[k]) || o.Target != nil &&
					(*o.Error < report.Number(math.Abs(float64(y-o.Target[k]))) || *o.Worst < *o.Error) {
					t.Errorf("%+v", o)
				}
			}
		}
		sums := q.Sums(rows, false)
		if len(sums) != 2 || sums[0].Verified+sums[0].Falsified+sums[0].Unknown != 0 || !math.IsNaN(float64(sums[0].CertifiedAccuracy)) ||
			!math.IsNaN(float64(sums[0].UpperAccuracy)) || sums[0].Outputs.MeanError == nil {
			t.Errorf("%+v", sums)
		}
		if round == 0 {
			first = rows
		} else if !reflect.DeepEqual(first, rows) {
			t.Errorf("%+v is found again as %+v", first, rows)
		}
	}
}

// TestNoNumberIsCloseToNothing: where outputs at a sample are no finite numbers nothing is verified and nothing falsified.
func TestNoNumberIsCloseToNothing(t *testing.T) {
	ctx := context.Background()
	s := newSketch()
	sub := asNumbers(t, s.model(t, s.node("Log", nil, s.node("Mul", nil, s.rows(2), s.rows(2)))), "1")
	v, err := OpenVerifier(ctx, sub, verify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	samples := points(t, 2, 1, nil)
	samples.Pixels = func(dst []float32, _ int, _ bool) error {
		clear(dst)
		return nil
	}
	p := Proofs{Subject: sub, Verifier: v, Samples: samples}
	rows, err := (&Certify{Proofs: p, Eps: []Eps{{0.1, "0.1"}}}).Ask(ctx, 0)
	if err != nil || rows[0].Verdict != string(verify.Unknown) || rows[0].Reason == "" {
		t.Errorf("%+v, %v", rows, err)
	}
	row, err := (&Radius{Proofs: p, Max: 1, Tol: 0.1}).Ask(ctx, 0)
	if err != nil || row.Radius != 0 || row.Reason == "" {
		t.Errorf("%+v, %v", row, err)
	}
}

// TestAgreementIsExact: two outputs agree at the tolerance, and not a unit in the last place beyond.
func TestAgreementIsExact(t *testing.T) {
	for _, c := range []struct {
		a, b   float64
		beyond bool
	}{
		{1, 1.125, false}, {1, math.Nextafter(1.125, 2), true}, {-0.125, 0, false}, {0, math.Nextafter(0.125, 0), false}, {math.Inf(1), math.Inf(1), false},
		{math.Inf(1), math.Inf(-1), true}, {math.NaN(), 0, true}, {math.NaN(), math.NaN(), false}, {0x1p60, 0x1p60 + 0x1p20, true},
	} {
		if got := beyond(Row{0, c.a}, Row{0, c.b}, big.NewRat(1, 8)); got != c.beyond {
			t.Errorf("%v and %v: %t", c.a, c.b, got)
		}
	}
}

// TestToleranceOfManyOutputsAsksForMemory before it takes it; bounds of them need no such rows.
func TestToleranceOfManyOutputsAsksForMemory(t *testing.T) {
	ctx := budget.With(context.Background(), budget.New(4<<20))
	for _, tolerance := range []string{"", "1"} {
		s := newSketch()
		v, err := OpenVerifier(ctx, asNumbers(t, s.model(t, s.rows(400)), tolerance), verify.Options{})
		var much *budget.Error
		if (tolerance != "") != errors.As(err, &much) {
			t.Errorf("tolerance %q: %v", tolerance, err)
		}
		if err == nil {
			v.Close()
		}
	}
}

// TestSoftmaxOfNumbersIsKept: probabilities that are numbers are asked about as they are, and not the logits before them.
func TestSoftmaxOfNumbersIsKept(t *testing.T) {
	ctx := context.Background()
	s := newSketch()
	sub := asNumbers(t, s.model(t, s.node("Softmax", onnxio.Attrs{"axis": int64(1)}, s.rows(3))), "0.3")
	v, err := OpenVerifier(ctx, sub, verify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	target, err := OpenTarget(ctx, sub, attack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	if v.Info().SoftmaxDropped || target.SoftmaxDropped() {
		t.Fatalf("the softmax is left out: %t, %t", v.Info().SoftmaxDropped, target.SoftmaxDropped())
	}
	verdicts := map[string]int{}
	for seed := range uint64(8) {
		q := &Certify{Proofs: Proofs{Subject: sub, Verifier: v, Samples: points(t, seed, 2, nil)}, Eps: []Eps{{0.05, "0.05"}, {0.5, "0.5"}}}
		method, _ := attack.ForNumbers(attack.Standard{Queries: 50})
		a := &Attack{Target: target, Samples: q.Samples, Method: method, Norm: attack.Linf, Eps: q.Eps, Tolerance: sub.Tolerance}
		var hits []report.Row
		if _, err := a.Run(ctx, 0, 2, func(rows []report.Row) error {
			hits = append(hits, rows...)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		for i := range 2 {
			rows, err := q.Ask(ctx, i)
			if err != nil {
				t.Fatal(err)
			}
			for k, r := range rows {
				verdicts[r.Verdict]++
				sum, far := 0.0, float64(*hits[2*i+k].Deviation)
				for j, p := range r.Outputs.Values {
					sum += float64(p)
					if r.Outputs.Lower[j] > p || r.Outputs.Upper[j] < p {
						t.Errorf("%v is outside of [%v,%v]", p, r.Outputs.Lower[j], r.Outputs.Upper[j])
					}
				}
				if math.Abs(sum-1) > 1e-6 {
					t.Errorf("probabilities add up to %v", sum)
				}
				if r.Verdict == string(verify.Verified) && hits[2*i+k].Adversarial || far > float64(*r.Outputs.Farthest)+1e-6 {
					t.Errorf("%s, and an attack gets %v away; bounds say %v", r.Verdict, far, *r.Outputs.Farthest)
				}
			}
		}
	}
	if verdicts["verified"] < 4 || verdicts["falsified"] < 4 {
		t.Errorf("%v says little", verdicts)
	}
}

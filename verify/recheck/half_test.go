package recheck_test

import (
	"bytes"
	"context"
	"math/big"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/verify/certificate"
	"github.com/shallow-waters/shoal/verify/recheck"
)

// TestHalfSpacesAreOfTheOpenCase: the half-space in which a case that is nowhere met could be says nothing of another one. Both checkers refuse it
// where that one is open too, or alone, and it does not outlive the tree of its own case.
func TestHalfSpacesAreOfTheOpenCase(t *testing.T) {
	m, kept := workedExample(t)
	never := kept.Property.Cases[0] // y >= 5/4
	somewhere := never              // y >= 1/2
	somewhere.Constraints = []certificate.Constraint{never.Constraints[0]}
	somewhere.Constraints[0].Bound = big.NewRat(-1, 2)
	step := func(kind certificate.Kind, number ...int) certificate.Step {
		s := certificate.Step{Kind: kind}
		for _, k := range number {
			s.Proofs = append(s.Proofs, certificate.Disproof{Case: k, Slopes: []byte{255, 255, 0}})
		}
		return s
	}
	half, anew, apart := certificate.Half, certificate.Bound, step(certificate.Apart)
	of := threeSteps() // the tree of case 0
	join := func(lists ...[]certificate.Step) (all []certificate.Step) {
		for _, l := range lists {
			all = append(all, l...)
		}
		return all
	}
	some := func(steps ...certificate.Step) []certificate.Step { return steps }
	for _, k := range []struct {
		cases  int
		steps  []certificate.Step
		reason string // nothing where it is accepted
	}{
		{1, join(some(step(half, 0), step(anew)), of), ""},
		{1, join(some(step(half, 0), step(half, 0), step(anew), step(half, 0)), of), ""},
		{2, join(some(step(half, 0), step(anew), step(certificate.Closed, 1)), of), "a half-space of case 0"},
		{2, join(some(step(half, 1), step(anew), step(certificate.Closed, 1)), of), "a half-space of case 1"},
		{2, join(some(apart, step(half, 1)), of, some(step(certificate.Closed, 1))), "a half-space of case 1"},
		{2, join(some(apart, step(half, 0), step(anew)), of, some(step(half, 0), step(anew), step(certificate.Closed, 1))), "a half-space of case 0"},
		{2, join(some(apart, step(half, 0), step(anew)), of, some(step(certificate.Closed, 1))), "case 1: the row is at least"},
		{2, join(some(apart, step(half, 0), step(anew)), of, some(step(half, 1), step(anew), step(certificate.Closed, 1))), "case 1: the row is at least"},
		{1, join(some(step(half, 2)), of), "a half-space of case 2"},
	} {
		h := kept
		h.Property.Cases = []certificate.Case{never, somewhere}[:k.cases]
		h.Hash = h.Property.Hash()
		made := packed(t, h, k.steps)
		got, err := recheck.Check(context.Background(), bytes.NewReader(made), m, nil)
		if err != nil || got.Accepted != (k.reason == "") || !strings.Contains(got.Reason, k.reason) {
			t.Errorf("%v: %v, %+v", k.steps, err, got)
		}
		want := 0
		if k.reason != "" {
			want = 10
		}
		second(t, made, example+".onnx", want)
	}
}

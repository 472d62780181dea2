package verify

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify/recheck"
	"github.com/shallow-waters/shoal/verify/vnnlib"
)

// TestCertificatesAgainstExactEnumeration: of every network of the exact test, what is written down of a true property is accepted by the checker,
// also trees that a search kept; and of a property with a counterexample nothing is that it accepts, though the writer be told that it was verified.
// SHOAL_EXACT_PROOFS=N asks of N properties.
func TestCertificatesAgainstExactEnumeration(t *testing.T) {
	t.Parallel()
	patiently(t, certificatesEnumerated)
}

// certificatesEnumerated is a turn of it.
func certificatesEnumerated(t *testing.T, slow time.Duration) (little string) {
	want := draws(t, "SHOAL_EXACT_PROOFS", 1500, 300)
	longest := slow * time.Duration(fromEnv(t, "SHOAL_EXACT_MS", 30)) * time.Millisecond
	seen := map[string]int{}
	count := 0
	for seed := uint64(fromEnv(t, "SHOAL_SEED", 0)); count < want; seed++ {
		rng := rand.New(rand.NewPCG(seed, 141414))
		net, lower, upper := drawExact(rng, seed)
		all, ok := net.regions(lower, upper)
		if !ok {
			continue
		}
		m, err := onnxio.NewModel(net.graph(), "test")
		if err != nil {
			t.Fatal(err)
		}
		v, err := Open(context.Background(), m, Options{Method: Complete, Threads: 1 + int(seed%2), Record: scratchFile(t), sides: seed%4 == 0})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for range propertiesEach {
			q, cases, _, sat := drawCases(rng, net, lower, upper, all)
			count++
			seen[v.certified(t, fmt.Sprintf("seed %d", seed), m, q, cases, sat, longest)]++
		}
		v.Close()
	}
	t.Logf("%d properties: %v", count, seen)
	if seen["accepted"]*20 < count || seen["refused"]*10 < count { // trees of a search are rare, and rarer on a machine that others use
		return fmt.Sprintf("of %d properties %v: too few of a kind to tell anything", count, seen)
	}
	return ""
}

// certified asks for a certificate of a property, and says what became of it.
func (v *Verifier) certified(t *testing.T, name string, m *onnxio.Model, q *vnnlib.Query, cases []exactCase, sat bool, longest time.Duration) string {
	claim, err := ClaimVNNLIB(q)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	r := Result{Verdict: Verified} // a lie where there is a counterexample
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	if !sat {
		if r, err = v.Verify(ctx, FromVNNLIB(q)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if r.Verdict != Verified {
			return "open"
		}
	}
	kept := ""
	if len(r.trees) > 0 {
		kept = " kept"
	}
	var b bytes.Buffer
	more, end := context.WithTimeout(context.Background(), longest)
	defer end()
	if _, err := v.Certificate(more, claim, r, &b); err != nil {
		if sat {
			return "refused"
		}
		return "none" + kept
	}
	got, err := recheck.Check(context.Background(), bytes.NewReader(b.Bytes()), m, &claim)
	switch {
	case sat && err == nil && got.Accepted:
		t.Errorf("%s: a certificate is accepted, and a counterexample exists\n%s\n%s", name, describe(m.Graph), tellCases(cases))
	case !sat && (err != nil || !got.Accepted):
		t.Errorf("%s: what was written is not accepted: %v %s\n%s\n%s", name, err, got.Reason, describe(m.Graph), tellCases(cases))
	}
	return "accepted" + kept
}

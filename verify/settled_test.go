package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify/certificate"
	"github.com/shallow-waters/shoal/verify/internal/record"
	"github.com/shallow-waters/shoal/verify/internal/search"
	"github.com/shallow-waters/shoal/verify/recheck"
)

// TestSettledPartsAreWritten: of trees whose parts are settled by sides of hinges from the first batch on, these are written as they were told to the
// tape: the checker accepts what is written, and next to nothing of it had to be found anew. SHOAL_KEPT=N draws N networks.
func TestSettledPartsAreWritten(t *testing.T) {
	t.Parallel()
	patiently(t, settledTrees)
}

// settledTrees is a turn of it.
func settledTrees(t *testing.T, slow time.Duration) (little string) {
	nets := draws(t, "SHOAL_KEPT", 60, 20)
	trees, parts, told, anew, apart, unsaid := 0, 0, 0, 0, 0, 0
	shows := func() string {
		if trees < nets/5 || apart == 0 {
			return fmt.Sprintf("%d trees of %d settled parts with %d splits are too few to tell anything", trees, parts, apart)
		}
		if unsaid*20 > trees {
			return fmt.Sprintf("%d of %d trees of constraints that float64s hold badly were not written", unsaid, trees)
		}
		if anew*50 > told+apart {
			return fmt.Sprintf("%d proofs were found anew, and %d written as they were told", anew, told)
		}
		return ""
	}
	for i := range nets {
		if slow > 1 && shows() == "" { // most of what is left takes all of the time
			break
		}
		seed := uint64(fromEnv(t, "SHOAL_SEED", 0) + i)
		rng := rand.New(rand.NewPCG(seed, 93))
		in, out := 4+rng.IntN(4), 1+rng.IntN(2)
		m, err := onnxio.NewModel(layersNet(rng, in, out).graph(), "test")
		if err != nil {
			t.Fatal(err)
		}
		v, err := Open(context.Background(), m, Options{Threads: 2, Method: Complete})
		if err != nil {
			t.Fatal(err)
		}
		defer v.Close()
		claim, err := ClaimVNNLIB(drawQuery(t, rng, v, in, out, 0.3))
		if err != nil {
			t.Fatal(err)
		}
		goal, g := asked(t, v, claim)
		with := search.Settings{Threads: 1 + int(seed%2), Batch: 4, Halved: 1, Settle: time.Hour}
		ctx, cancel := context.WithTimeout(context.Background(), slow*2*time.Second)
		got, err := v.keeping(ctx, v.o, g, goal, with, record.NewTape(64<<20, nil))
		cancel()
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if g.tree == nil || got.Settled == 0 {
			continue
		}
		trees++
		parts += got.Settled
		var b bytes.Buffer
		if _, err := v.Certificate(context.Background(), claim, Result{Verdict: Verified, trees: []*tree{g.tree}}, &b); err != nil {
			if !far(claim) {
				t.Errorf("seed %d: %v", seed, err)
			}
			unsaid++ // such a proof may have no weights of the claim's constraints, and be found anew by none
			continue
		}
		r, err := recheck.Check(context.Background(), bytes.NewReader(b.Bytes()), m, &claim)
		if err != nil || !r.Accepted {
			t.Errorf("seed %d: what was written is not accepted: %v %s", seed, err, r.Reason)
		}
		_, steps := takeApart(t, b.Bytes())
		for _, s := range steps {
			switch {
			case s.Kind == certificate.Exact:
				told++
			case s.Kind == certificate.Closed && s.Proofs[0].Slopes != nil:
				anew++ // slopes were moved until they proved it
			case s.Kind == certificate.Neuron:
				apart++
			}
		}
	}
	t.Logf("%d of %d networks had a tree with %d parts that were settled: %d proofs as they were told, %d found anew, %d splits", trees, nets,
		parts, told, anew, apart)
	return shows()
}

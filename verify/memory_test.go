package verify

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/onnxio"
)

// TestMemoryThatIsNotThereLeavesUnknown: however little memory a question has, it is answered, and what a stage did not get the memory for is unknown
// for that reason; nothing is verified or falsified that is not with all of it.
func TestMemoryThatIsNotThereLeavesUnknown(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	b, x := newBuilder(rng, 1, 30)
	for range 3 {
		x = b.node("Relu", nil, b.dense(x, 30, 30))
	}
	y := b.dense(x, 30, 2)
	b.g.Outputs = append(b.g.Outputs, y)
	for _, m := range []Method{DeepPoly, Auto} {
		v := openGraph(t, b.g, Options{Method: m, Threads: 1})
		centre := make([]float32, 30)
		at, err := v.Predict(context.Background(), centre)
		if err != nil {
			t.Fatal(err)
		}
		label := 0
		if at[1] > at[0] {
			label = 1
		}
		p := Robust(Ball{Center: centre, Eps: 1e-4}, label, 2)
		whole, err := v.Verify(context.Background(), p)
		if err != nil || whole.Verdict != Verified {
			t.Fatalf("%s: %+v, %v", m, whole, err)
		}
		refused := 0
		for bytes := int64(1 << 12); bytes < 1<<24; bytes += bytes / 32 {
			ctx := budget.With(context.Background(), budget.New(bytes))
			little, err := Open(ctx, &onnxio.Model{Graph: b.g}, Options{Method: m, Threads: 1})
			if err != nil { // there is no network to ask
				continue
			}
			r, err := little.Verify(ctx, p)
			little.Close()
			switch {
			case err != nil:
				t.Errorf("%s with %d bytes: %v", m, bytes, err)
			case r.Verdict == Unknown && strings.Contains(r.Reason, "of memory; the budget is"):
				refused++
			case r.Verdict != Verified:
				t.Errorf("%s with %d bytes: %+v", m, bytes, r)
			}
		}
		if refused == 0 {
			t.Errorf("%s: no budget was too small", m)
		}
	}
}

// TestSearchWithoutMemoryIsNotWithoutLimit: 0 bytes are no limit to the search, so a budget that is used up must never come out as 0.
func TestSearchWithoutMemoryIsNotWithoutLimit(t *testing.T) {
	for _, c := range []struct{ budget, want int64 }{{0, 1}, {3, 1}, {4, 1}, {4000, 1000}} {
		if got := openMemory(budget.With(context.Background(), budget.New(c.budget))); got != c.want {
			t.Errorf("%d bytes left: %d for open parts, want %d", c.budget, got, c.want)
		}
	}
}

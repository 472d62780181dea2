package verify

import (
	"context"
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shallow-waters/shoal/onnxio"
)

// persisting is a falsifier whose longer attack is a function.
type persisting func(ctx context.Context) ([][]float64, error)

func (persisting) Falsify(context.Context, Box, [][]Constraint) ([][]float64, error) { return nil, nil }

func (f persisting) Persist(ctx context.Context, _ Box, _ [][]Constraint, _ time.Duration) ([][]float64, error) {
	return f(ctx)
}

// TestSearchAndAttackEndEachOther: on two threads the longer attack runs beside the search over sides. Its point ends a search that would go on;
// points that are none, and an attack that fails, end nothing; and a proof ends an attack that would go on.
func TestSearchAndAttackEndEachOther(t *testing.T) {
	t.Parallel()
	const inputs = 40
	// The sum of |x| is at most a millionth next to 0 alone, and to disprove the rest is to look at all signs of all inputs.
	a, x := newBuilder(rand.New(rand.NewPCG(4, 91)), 1, inputs)
	a.g.Outputs = append(a.g.Outputs, a.node("ReduceSum", nil, a.node("Abs", nil, x)))
	open := Property{Cases: []Case{{Box: cube(inputs, -1, 2), Constraints: []Constraint{atMost(0, big.NewRat(1, 1_000_000))}}}}
	// A little more than what moved slopes prove of a network is soon proven. It has too many hinges to be decided by linear programs from the start.
	b, x := newBuilder(rand.New(rand.NewPCG(5, 91)), 1, inputs)
	h := b.node("Relu", nil, b.dense(b.node("Relu", nil, b.dense(x, inputs, 260)), 260, 260))
	b.g.Outputs = append(b.g.Outputs, b.dense(h, 260, 1))
	soon := Property{Cases: []Case{{Box: cube(inputs, -1, 1), Constraints: []Constraint{atMost(0, nearly(t, b.g, cube(inputs, -1, 1)))}}}}
	ended := make(chan error, 1)
	for name, c := range map[string]struct {
		f       persisting
		g       *onnxio.Graph
		p       Property
		threads int
		want    Verdict
		why     string // that the reason has
		before  bool   // the attack comes before the search
	}{
		"a point": {func(ctx context.Context) ([][]float64, error) {
			time.Sleep(200 * time.Millisecond) // the search is on its way
			return [][]float64{make([]float64, inputs)}, ctx.Err()
		}, a.g, open, 2, Falsified, "found by attack", false},
		"a point on one thread": {func(ctx context.Context) ([][]float64, error) { return [][]float64{make([]float64, inputs)}, ctx.Err() },
			a.g, open, 1, Falsified, "found by attack", true},
		"no such point": {func(ctx context.Context) ([][]float64, error) {
			return [][]float64{slices.Repeat([]float64{1}, inputs)}, ctx.Err()
		}, a.g, open, 2, Unknown, "the time", false},
		"a failure": {func(context.Context) ([][]float64, error) { return nil, errors.New("no gradient") },
			a.g, open, 2, Unknown, "no gradient", false},
		"a proof": {func(ctx context.Context) ([][]float64, error) {
			<-ctx.Done()
			ended <- ctx.Err()
			return nil, ctx.Err()
		}, b.g, soon, 2, Verified, "proven by complete search", false},
	} {
		v := openGraph(t, c.g, Options{Method: Complete, Falsifier: c.f, Threads: c.threads})
		most := hangs
		if c.want == Unknown {
			most = 2 * time.Second // goes on until it is over
		}
		ctx, cancel := context.WithTimeout(context.Background(), most)
		r, err := v.Verify(ctx, c.p)
		for ; c.want == Unknown && !strings.Contains(r.Reason, c.why) && most < hangs; most *= 4 { // a slow machine comes to it later
			cancel()
			ctx, cancel = context.WithTimeout(context.Background(), 4*most)
			r, err = v.Verify(ctx, c.p)
		}
		cancel()
		// The search may come upon a point near 0 itself, sooner than the attack or within its time.
		own := !c.before && c.want != Verified && r.Verdict == Falsified && strings.Contains(r.Reason, "found by halving")
		if err != nil || !own && (r.Verdict != c.want || !strings.Contains(r.Reason, c.why)) {
			t.Errorf("%s: %s, %s, %v", name, r.Verdict, r.Reason, err)
		}
		if c.want != Unknown && r.Timeout {
			t.Errorf("%s: it went on until the time was over", name)
		}
		if before := slices.ContainsFunc(r.Rungs, func(r Rung) bool { return r.Name == "long attack" }); before != c.before {
			t.Errorf("%s: %v", name, r.Rungs)
		}
	}
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("a proof let the attack end with %v", err)
		}
	default:
		t.Error("no attack ran beside a proof")
	}
}

// nearly is a bound of a network's only output, a little above what moved slopes bound it by, and below what points have.
func nearly(t *testing.T, g *onnxio.Graph, box Box) *big.Rat {
	v := openGraph(t, g, Options{Method: Alpha, Threads: 1})
	rng := rand.New(rand.NewPCG(6, 91))
	var points [][]float64
	for range 2000 {
		x := slices.Clone(box.Lower)
		for i := range x {
			if rng.IntN(2) == 0 {
				x[i] = box.Upper[i]
			}
		}
		points = append(points, x)
	}
	least := math.Inf(1)
	for _, p := range onPoints(t, v, points) {
		least = min(least, p.row([]float64{1}))
	}
	const below = 1000
	r, err := v.Verify(context.Background(), Property{Cases: []Case{{Box: box, Constraints: []Constraint{atMost(0, big.NewRat(-below, 1))}}}})
	if err != nil || r.Verdict != Verified {
		t.Fatal(r, err)
	}
	bound := r.Margin - below
	return new(big.Rat).SetFloat64(bound + 0.01*(least-bound))
}

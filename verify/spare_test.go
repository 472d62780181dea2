package verify

import (
	"context"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
)

// failing is a falsifier that fails from its call at on, counted from 0, in one of the ways that there are: by an error, by an end of its own, or by
// points that are none.
type failing struct {
	at, calls int
	err       error
	points    [][]float64
}

func (f *failing) Falsify(context.Context, Box, [][]Constraint) ([][]float64, error) {
	if f.calls++; f.calls > f.at {
		return f.points, f.err
	}
	return nil, nil
}

func (f *failing) Persist(ctx context.Context, b Box, cs [][]Constraint, _ time.Duration) ([][]float64, error) {
	return f.Falsify(ctx, b, cs)
}

// refusing runs a model some times, and then no more.
type refusing struct {
	engine.Session
	left int
}

func (r *refusing) Run(ctx context.Context, in []*onnxio.Tensor) ([]*onnxio.Tensor, error) {
	if r.left--; r.left < 0 {
		return nil, errors.New("the engine refuses")
	}
	return r.Session.Run(ctx, in)
}

// TestAFailingFalsifierEndsNoProof: whenever and however a falsifier fails, and wherever its points cannot be replayed, what can be proven is, by
// every stage that can, and what failed is said. Where nothing but counterexamples is looked for, it is an error.
func TestAFailingFalsifierEndsNoProof(t *testing.T) {
	t.Parallel()
	no := errors.New("no gradient")
	asked := func(inputs int, below int64) Property { // that the sums stay above: complete search alone proves it
		bound := big.NewRat(below, 1000)
		return Property{Cases: []Case{{Box: cube(inputs, -1, 2),
			Constraints: []Constraint{atMost(1, bound), atMost(2, bound), atMost(0, big.NewRat(100, 1))}}}}
	}
	tries, replays := 0, 0
	for _, inputs := range []int{6, 30} { // boxes are halved, and hinges are given sides
		open := func(m Method, f Falsifier) *Verifier {
			v, err := Open(context.Background(), sums(t, inputs), Options{Method: m, Falsifier: f, Threads: 2})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { v.Close() })
			return v
		}
		for _, m := range []Method{Auto, Interval, DeepPoly, Complete} {
			for at := range 3 {
				for name, f := range map[string]failing{
					"error":    {at: at, err: no},
					"end":      {at: at, err: context.DeadlineExceeded},
					"short":    {at: at, points: [][]float64{make([]float64, inputs-1)}},
					"long":     {at: at, points: [][]float64{make([]float64, inputs+1)}},
					"no point": {at: at, points: [][]float64{{math.NaN()}}},
				} {
					v := open(m, &f)
					below := int64(-1)
					if m == Interval || m == DeepPoly {
						below = -100_000
					}
					ctx, cancel := context.WithTimeout(context.Background(), hangs)
					r, err := v.Verify(ctx, asked(inputs, below))
					cancel()
					if err != nil || r.Verdict != Verified {
						t.Errorf("%d inputs, %s, %s at call %d of %d: %s, %s, %v", inputs, m, name, at, f.calls, r.Verdict, r.Reason, err)
					}
					said := strings.Contains(r.Reason, "the search for counterexamples failed: ")
					want := f.calls > at && (name != "end" || at == 0) // a longer attack is given an end of its own
					if said != want {
						t.Errorf("%d inputs, %s, %s at call %d of %d: %s", inputs, m, name, at, f.calls, r.Reason)
					}
					if said {
						tries++
					}
				}
			}
			v := open(m, &failing{points: [][]float64{make([]float64, inputs)}})
			s := &refusing{v.session, 1} // the centre
			v.session = s
			r, err := v.Verify(context.Background(), asked(inputs, -1))
			if m == DeepPoly || m == Interval {
				r.Verdict = Verified // they do not prove it
			}
			if err != nil || r.Verdict != Verified {
				t.Errorf("%d inputs, %s, replays fail: %s, %s, %v", inputs, m, r.Verdict, r.Reason, err)
			}
			if strings.Contains(r.Reason, "the engine refuses") {
				replays++
			}
			if _, err := open(m, nil).Falsify(context.Background(), asked(inputs, -1), &failing{err: no}); !errors.Is(err, no) {
				t.Errorf("counterexamples alone were asked for: %v", err)
			}
		}
	}
	// No corner comes near to its counterexamples for long, so that boxes are halved until the attack that joins is due.
	for name, f := range map[string]failing{"error": {at: 1, err: no}, "long": {at: 1, points: [][]float64{make([]float64, 7)}}} {
		v, err := Open(context.Background(), sums(t, 6), Options{Method: Complete, Falsifier: &f, Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer v.Close()
		least := big.NewRat(1, 1<<40)
		var r Result
		for d := time.Second; f.calls < 2 && d < hangs; d *= 2 { // a slow machine comes to it later
			f.calls = 0
			ctx, cancel := context.WithTimeout(context.Background(), d)
			r, err = v.Verify(ctx, Property{Cases: []Case{{Box: cube(6, -1, 2), Constraints: []Constraint{atMost(1, least), atMost(2, least)}}}})
			cancel()
		}
		if err != nil || r.Verdict != Unknown || !r.Timeout || f.calls < 2 || !strings.Contains(r.Reason, "the search for counterexamples failed: ") {
			t.Errorf("%s inside the search, %d calls: %s, %s, %v", name, f.calls, r.Verdict, r.Reason, err)
		}
	}
	if tries < 20 || replays < 4 {
		t.Errorf("%d falsifiers and %d replays that failed are too few to tell anything", tries, replays)
	}
}

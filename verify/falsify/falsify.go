package falsify

import (
	"context"
	"math"
	"math/big"
	"time"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/verify"
)

// Options configures an Attack. The zero value is quick, and about the order of a classifier's outputs.
type Options struct {
	Search  attack.SearchOptions
	Threads int            // 0 means all cores
	Reading onnxio.Reading // whose word the engine follows; that of the verifier which asks
	// KeepSoftmax takes a final softmax as part of the model, for properties of its outputs' values.
	KeepSoftmax bool
}

// Attack implements verify.Falsifier by package attack's Search. Whoever opened it closes it, behind the verifiers that ask it.
type Attack struct {
	Target *attack.Target
	Search attack.SearchOptions
}

var _ verify.Persistent = (*Attack)(nil)

// Open prepares a model on the Go engine. One that attacks do not take is an error; proofs may go on without.
func Open(ctx context.Context, m *onnxio.Model, o Options) (*Attack, error) {
	t, err := attack.Open(ctx, m, attack.Options{Engine: engine.Options{Engine: "go", Threads: o.Threads, Reading: o.Reading},
		KeepSoftmax: o.KeepSoftmax})
	if err != nil {
		return nil, err
	}
	return &Attack{t, o.Search}, nil
}

// Close frees the engine.
func (a *Attack) Close() error { return a.Target.Close() }

// Falsify implements verify.Falsifier.
func (a *Attack) Falsify(ctx context.Context, box verify.Box, cases [][]verify.Constraint) ([][]float64, error) {
	return a.search(ctx, box, cases, a.Search)
}

// Below shortPersist a round of Persist goes on with no more than shortMost points: it is asked about one small box after the other.
const (
	shortPersist = 60 * time.Millisecond
	shortMost    = 32
)

// Persist implements verify.Persistent. Where Search has a duration of its own, Falsify took that, and no more is wanted.
func (a *Attack) Persist(ctx context.Context, box verify.Box, cases [][]verify.Constraint, d time.Duration) ([][]float64, error) {
	if a.Search.Duration > 0 || d <= 0 {
		return nil, nil
	}
	o := a.Search
	o.Duration = d
	o.Seed++
	if d < shortPersist && o.Most <= 0 {
		o.Most = shortMost
	}
	return a.search(ctx, box, cases, o)
}

func (a *Attack) search(ctx context.Context, box verify.Box, cases [][]verify.Constraint, o attack.SearchOptions) ([][]float64, error) {
	r := &attack.Region{Lower: box.Lower, Upper: box.Upper}
	for _, list := range cases {
		c := []attack.Constraint{}
		for _, q := range list {
			c = append(c, constraint(q, a.Target.Outputs()))
		}
		r.Cases = append(r.Cases, c)
	}
	found, err := a.Target.Search(ctx, r, o)
	if err != nil || found == nil {
		return nil, err
	}
	x := make([]float64, len(found.Input))
	for i, v := range found.Input {
		x[i] = float64(v)
	}
	return [][]float64{x}, nil
}

// strictly is by how much, relative to the bound, a strict constraint is aimed below it.
const strictly = 1e-12

func constraint(q verify.Constraint, outputs int) attack.Constraint {
	c := attack.Constraint{Row: make([]float64, outputs), Bound: float(q.Bound)}
	for k, i := range q.Index {
		c.Row[i] += float(q.Coef[k])
	}
	if q.Strict {
		c.Bound -= strictly * max(1, math.Abs(c.Bound))
	}
	return c
}

func float(r *big.Rat) float64 {
	f, _ := r.Float64()
	return f
}

package verify

import (
	"context"
	"time"

	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/verify/internal/bound"
	"github.com/shallow-waters/shoal/verify/internal/search"
)

// domains are the ways of bounding that a method may name, in one pass each; alpha makes several of deeppoly's.
var domains = map[Method]bound.Domain{Interval: bound.Interval, Symbolic: bound.Symbolic, FastLin: bound.FastLin,
	FastLinPlain: bound.FastLinPlain, DeepPoly: bound.DeepPoly}

// alone tells that a method takes one box at a time.
func alone(m Method) bool { return m == Alpha || domains[m].Alone() }

// bounds are what a domain knows of the network over some boxes, see bound.Bounds.
type bounds interface {
	Lower(rows [][]float64, owner []int32, t *bound.Trace) ([]float64, error)
	Outputs(problem int) bound.Box
	Beyond(problem int) string
	Layers() []bound.Layer
	Close()
}

// alphaShare is what alpha takes of the time until a deadline: what it has is worth nothing once that has passed.
const alphaShare = 0.8

// bound bounds the network over boxes by the domain of a method. It comes back when the context ends, whatever operator is at work.
func (v *Verifier) bound(ctx context.Context, o Options, m Method, boxes ...Box) (bounds, error) {
	problems := make([]bound.Problem, len(boxes))
	for i, b := range boxes {
		problems[i].Box = b
	}
	var b bounds
	err := budget.Do(ctx, func() error {
		if m == Alpha {
			e := search.Effort{Steps: o.steps(), Learn: o.searches(), Told: o.told}
			if t, ok := ctx.Deadline(); !o.until.IsZero() {
				e.Until = o.until
			} else if ok {
				e.Until = time.Now().Add(time.Duration(alphaShare * float64(time.Until(t))))
			}
			made, err := search.BoundAlpha(ctx, v.net, boundOptions(o), problems, e)
			b = made
			return err
		}
		made, err := domains[m].Bound(ctx, v.net, boundOptions(o), problems)
		b = made
		return err
	})
	if err != nil {
		return nil, err
	}
	return b, nil
}

// alphaSteps is what AlphaSteps is where nothing is said: what users of alpha-CROWN's library have.
const alphaSteps = 20

func (o Options) steps() int {
	if o.AlphaSteps > 0 {
		return o.AlphaSteps
	}
	return alphaSteps
}

func boundOptions(o Options) bound.Options {
	return bound.Options{Float32: o.Semantics == Float32, Threads: o.Threads, MemoryMB: o.MemoryMB, Plain: o.Plain}
}

package verify

import (
	"context"

	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/verify/internal/bound"
)

// domains are the ways of bounding that a method may name.
var domains = map[Method]bound.Domain{Interval: bound.Interval, Symbolic: bound.Symbolic, FastLin: bound.FastLin, DeepPoly: bound.DeepPoly}

// bound bounds the network over boxes by the domain of a method. It comes back when the context ends, whatever operator is at work.
func (v *Verifier) bound(ctx context.Context, o Options, m Method, boxes ...Box) (*bound.Bounds, error) {
	problems := make([]bound.Problem, len(boxes))
	for i, b := range boxes {
		problems[i].Box = b
	}
	var b *bound.Bounds
	err := budget.Do(ctx, func() error {
		made, err := domains[m].Bound(ctx, v.net, boundOptions(o), problems)
		b = made
		return err
	})
	if err != nil {
		return nil, err
	}
	return b, nil
}

func boundOptions(o Options) bound.Options {
	return bound.Options{Float32: o.Semantics == Float32, Threads: o.Threads, MemoryMB: o.MemoryMB, Plain: o.Plain}
}

package verify

import (
	"context"

	"github.com/shallow-waters/shoal/verify/internal/bound"
)

// domains are the ways of bounding that a method may name.
var domains = map[Method]bound.Domain{Interval: bound.Interval, Symbolic: bound.Symbolic, FastLin: bound.FastLin, DeepPoly: bound.DeepPoly}

// bound bounds the network over boxes by the domain of a method.
func (v *Verifier) bound(ctx context.Context, o Options, m Method, boxes ...Box) (*bound.Bounds, error) {
	problems := make([]bound.Problem, len(boxes))
	for i, b := range boxes {
		problems[i].Box = b
	}
	return domains[m].Bound(ctx, v.net, boundOptions(o), problems)
}

func boundOptions(o Options) bound.Options {
	return bound.Options{Float32: o.Semantics == Float32, Threads: o.Threads, MemoryMB: o.MemoryMB, Plain: o.Plain}
}

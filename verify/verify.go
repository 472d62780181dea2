package verify

import (
	"context"
	"fmt"
	"time"

	"github.com/shallow-waters/shoal/internal/budget"
)

// Verify answers one property. A cancelled context or passed deadline gives Unknown with Timeout set, not an error.
func (v *Verifier) Verify(ctx context.Context, p Property) (Result, error) {
	rs, err := v.verify(ctx, v.o, []Property{p})
	if err != nil {
		return Result{}, err
	}
	return rs[0], nil
}

// VerifyAll answers several properties together: their boxes are bounded in one batch, as far as the domain can.
func (v *Verifier) VerifyAll(ctx context.Context, ps []Property) ([]Result, error) {
	return v.verify(ctx, v.o, ps)
}

func (v *Verifier) verify(ctx context.Context, o Options, ps []Property) ([]Result, error) {
	start := time.Now()
	ctx = budget.With(ctx, budget.Of(ctx)) // asked once: a search runs the network at many points
	var all []*group
	byProperty := make([][]*group, len(ps))
	for i, p := range ps {
		gs, err := v.groups(p, o.Semantics)
		if err != nil {
			return nil, err
		}
		for _, g := range gs {
			g.property = i
		}
		byProperty[i] = gs
		all = append(all, gs...)
	}
	rungs, err := v.decide(ctx, o, all)
	if err != nil {
		return nil, err
	}
	out := make([]Result, len(ps))
	for i, gs := range byProperty {
		if out[i] = join(gs, o); out[i].Verdict == Unknown && v.odd() != "" { // what no bound gets over
			out[i].Reason = fmt.Sprintf("%s; of the model's constants %s", out[i].Reason, v.odd())
		}
		out[i].Rungs = rungs[i]
		out[i].Reason += spared(gs)
		for _, g := range gs {
			if g.tree != nil {
				out[i].trees = append(out[i].trees, g.tree)
			}
			if g.sides != nil {
				out[i].sides = append(out[i].sides, g.sides)
			}
		}
		out[i].Seconds = time.Since(start).Seconds()
	}
	return out, nil
}

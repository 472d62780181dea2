package verify

import (
	"context"
	"sync"

	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/verify/certificate"
	"github.com/shallow-waters/shoal/verify/internal/bound"
	"github.com/shallow-waters/shoal/verify/internal/search"
	"github.com/shallow-waters/shoal/verify/internal/weave"
)

// proofs are what the search by linear programs finds of a claim, box by box, where it is the one that decides it: for a certificate to be made of. Nothing
// of it needs to be right.
func (v *Verifier) proofs(ctx context.Context, claim certificate.Property) (out []weave.Found, err error) {
	if !v.small() {
		return nil, nil
	}
	o := v.o
	o.Method = Complete
	for i, b := range claim.Boxes {
		box := Box{}
		for k := range b.Lower {
			box.Lower, box.Upper = append(box.Lower, sound.RatDown(b.Lower[k])), append(box.Upper, sound.RatUp(b.Upper[k]))
		}
		if !v.bySides(o, &group{box: box}) {
			continue
		}
		var number []int
		goal := search.Goal{Box: box}
		for k, c := range claim.Cases {
			if c.Box != i {
				continue
			}
			number = append(number, k)
			goal.Cases = append(goal.Cases, rowsOf(c, claim.Outputs))
		}
		var mu sync.Mutex
		told := func(p search.Proof) {
			mu.Lock()
			defer mu.Unlock()
			out = append(out, foundOf(p, number[p.Case]))
		}
		if _, err := search.Neurons(ctx, v.net, boundOptions(o), goal, search.Settings{Threads: o.Threads, Told: told}); err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// rowsOf is a case as a search takes it, as nearly as float64s are.
func rowsOf(c certificate.Case, outputs int) search.Case {
	var out search.Case
	for _, q := range c.Constraints {
		row := make([]float64, outputs)
		for j, k := range q.Index {
			row[k], _ = q.Coef[j].Float64()
		}
		out.Rows, out.Bound, out.Strict = append(out.Rows, row), append(out.Bound, sound.RatUp(q.Bound)), append(out.Strict, q.Strict)
	}
	return out
}

func foundOf(p search.Proof, number int) weave.Found {
	f := weave.Found{Case: number, Path: turnsOf(p.Path), Needs: turnsOf(p.Needs), Beta: p.Beta, Weights: p.Weights}
	for _, s := range p.Slopes {
		f.Slopes = append(f.Slopes, s...)
	}
	for _, c := range p.Ceilings {
		f.Ceilings = append(f.Ceilings, certificate.Ceiling(c))
	}
	return f
}

func turnsOf(list []bound.Side) []weave.Turn {
	out := make([]weave.Turn, len(list))
	for i, s := range list {
		out[i] = weave.Turn(s)
	}
	return out
}

package verify

import (
	"context"
	"slices"
	"time"

	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/verify/certificate"
	"github.com/shallow-waters/shoal/verify/internal/bound"
	"github.com/shallow-waters/shoal/verify/internal/record"
	"github.com/shallow-waters/shoal/verify/internal/search"
	"github.com/shallow-waters/shoal/verify/internal/weave"
)

// tree is what a search kept of a box.
type tree struct {
	box   Box
	cases []int // by number there, its number in the property
	tape  *record.Tape
	took  time.Duration
}

// keeps is what a search's tree is kept on; nil where none is.
func (v *Verifier) keeps(o Options, bySides bool) *record.Tape {
	if o.Record == nil || bySides || o.Plain || o.Semantics != Real || !v.net.Recorded() {
		return nil
	}
	return record.NewTape(0, func() (record.File, error) { return o.Record() })
}

// keeping halves a group's box, and keeps the tree on a tape unless that is nil. Where bounds with a margin leave something open that is too small to
// halve, it is searched without.
func (v *Verifier) keeping(ctx context.Context, o Options, g *group, goal search.Goal, with search.Settings,
	tape *record.Tape) (search.Outcome, error) {
	start := time.Now()
	with.Record = tape
	out, err := search.Inputs(ctx, v.net, bound.DeepPoly, boundOptions(o), goal, with)
	if tape == nil || err != nil {
		return out, err
	}
	if out.Proven {
		g.tree = &tree{box: g.box, tape: tape, took: time.Since(start)}
		for _, c := range g.cases {
			g.tree.cases = append(g.tree.cases, c.number)
		}
		return out, nil
	}
	_ = tape.Close() // nobody reads it
	if out.Why == "" || out.Found || ctx.Err() != nil {
		return out, nil
	}
	with.Record = nil
	return search.Inputs(ctx, v.net, bound.DeepPoly, boundOptions(o), goal, with)
}

// kept gives the trees of a result by boxes of a claim.
func (r *Result) kept(claim certificate.Property) func(int) *weave.Tree {
	return func(i int) *weave.Tree {
		b := claim.Boxes[i]
		for _, t := range r.trees {
			other := func(k int) bool { return k >= len(claim.Cases) || claim.Cases[k].Box != i }
			same := len(t.box.Lower) == len(b.Lower) && !slices.ContainsFunc(t.cases, other)
			for k := range b.Lower {
				same = same && t.box.Lower[k] == sound.RatDown(b.Lower[k]) && t.box.Upper[k] == sound.RatUp(b.Upper[k])
			}
			if same {
				return &weave.Tree{Tape: t.tape, Cases: t.cases, Took: t.took}
			}
		}
		return nil
	}
}

// forget gives back what trees are kept on.
func (r *Result) forget() {
	for _, t := range r.trees {
		_ = t.tape.Close() // nobody reads it
	}
}

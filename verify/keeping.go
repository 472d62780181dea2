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
	if tape == nil {
		return out, err
	}
	if err == nil && out.Proven {
		g.tree = &tree{box: g.box, cases: g.numbers(), tape: tape, took: time.Since(start)}
		return out, nil
	}
	_ = tape.Close() // nobody reads it
	if err != nil || out.Why == "" || out.Found || ctx.Err() != nil {
		return out, err
	}
	with.Record = nil
	return search.Inputs(ctx, v.net, bound.DeepPoly, boundOptions(o), goal, with)
}

// kept gives trees of a claim's boxes that are written as they are: what the search of a result kept, or the box as one part, where rows prove all
// of it.
func (v *Verifier) kept(ctx context.Context, claim certificate.Property, r Result) func(int) *weave.Tree {
	return func(i int) *weave.Tree {
		if t := r.kept(claim, i); t != nil {
			return t
		}
		return v.whole(ctx, claim, i)
	}
}

func (r *Result) kept(claim certificate.Property, box int) *weave.Tree {
	for _, t := range r.trees {
		if isOf(claim, box, t.box, t.cases) {
			return &weave.Tree{Tape: t.tape, Cases: t.cases, Took: t.took}
		}
	}
	return nil
}

// isOf tells whether a search of a box and of cases, by their numbers, was of a claim's box and of all of its cases.
func isOf(claim certificate.Property, box int, of Box, cases []int) bool {
	b, n := claim.Boxes[box], 0
	for _, c := range claim.Cases {
		if c.Box == box {
			n++
		}
	}
	other := func(k int) bool { return k >= len(claim.Cases) || claim.Cases[k].Box != box }
	same := len(of.Lower) == len(b.Lower) && !slices.ContainsFunc(cases, other) && len(cases) == n
	for k := range b.Lower {
		same = same && of.Lower[k] == sound.RatDown(b.Lower[k]) && of.Upper[k] == sound.RatUp(b.Upper[k])
	}
	return same
}

// whole bounds a box of a claim, and gives its tree where rows prove it as one part.
func (v *Verifier) whole(ctx context.Context, claim certificate.Property, box int) *weave.Tree {
	if v.o.sides || v.o.Plain || !v.net.Elementwise() {
		return nil
	}
	goal, number, err := v.goalOf(claim, box)
	if err != nil {
		return nil // the plain pass says it too
	}
	t := &weave.Tree{Tape: record.NewTape(0, nil), Cases: number}
	if ok, err := search.Whole(ctx, v.net, boundOptions(v.o), goal, t.Tape); !ok || err != nil { // the plain pass finds out why
		return nil
	}
	return t
}

// goalOf is a box of a claim as a search takes it, and the numbers of its cases in the claim.
func (v *Verifier) goalOf(claim certificate.Property, box int) (g search.Goal, number []int, err error) {
	for k, l := range claim.Boxes[box].Lower {
		g.Box.Lower, g.Box.Upper = append(g.Box.Lower, sound.RatDown(l)), append(g.Box.Upper, sound.RatUp(claim.Boxes[box].Upper[k]))
	}
	for k, c := range claim.Cases {
		if c.Box != box {
			continue
		}
		oc := &openCase{c: &Case{}}
		for _, q := range c.Constraints {
			oc.c.Constraints = append(oc.c.Constraints, Constraint(q))
			row, lost, bound, _, err := v.row(v.reduced(Constraint(q)))
			if err != nil {
				return g, nil, err
			}
			oc.rows, oc.bound, oc.loss = append(oc.rows, row), append(oc.bound, bound), append(oc.loss, lost)
		}
		number, g.Cases = append(number, k), append(g.Cases, oc.asked())
	}
	return g, number, nil
}

// times are, by case and constraint of a claim, the powers of two by which rows of the search are larger than the claim's.
func (v *Verifier) times(claim certificate.Property) ([][]int, error) {
	out := make([][]int, len(claim.Cases))
	for k, c := range claim.Cases {
		for _, q := range c.Constraints {
			_, _, _, n, err := v.row(v.reduced(Constraint(q)))
			if err != nil {
				return nil, err
			}
			out[k] = append(out[k], n)
		}
	}
	return out, nil
}

// forget gives back what trees are kept on.
func (r *Result) forget() {
	for _, t := range r.trees {
		_ = t.tape.Close() // nobody reads it
	}
}

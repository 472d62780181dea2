package verify

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/shallow-waters/shoal/verify/internal/bound"
	"github.com/shallow-waters/shoal/verify/internal/search"
)

const (
	// searchInputs is how many inputs may vary for auto to halve boxes: each halving of all sides doubles the boxes so many times.
	searchInputs = 24
	// exactInputs is how many inputs may vary for small networks to be halved, and not to be decided by linear programs.
	exactInputs = 12
	// searchTime is what auto spends on a property's search where no deadline says otherwise.
	searchTime = 10 * time.Second
)

// searching halves the boxes that are left until every case is disproved on every part, or a counterexample is found.
func searching(ctx context.Context, v *Verifier, d *decision) error {
	left := d.left()
	for i, g := range left {
		if d.falsified[g.property] || g.wide != nil {
			continue
		}
		if d.o.Method == Auto && g.varying() > searchInputs && v.net.Neurons() > search.Small {
			continue
		}
		if err := v.halve(ctx, d, g, len(left)-i); err != nil {
			return err
		}
	}
	return nil
}

// varying counts the inputs that have a width.
func (g *group) varying() int {
	n := 0
	for i, l := range g.box.Lower {
		if l < g.box.Upper[i] {
			n++
		}
	}
	return n
}

// halve decides one group within its share of the time: what is left until the deadline, divided by the groups that wait.
func (v *Verifier) halve(ctx context.Context, d *decision, g *group, waiting int) error {
	own := ctx
	if t, ok := ctx.Deadline(); ok || d.o.Method == Auto {
		share := searchTime
		if ok {
			share = time.Until(t)
		}
		var cancel context.CancelFunc
		own, cancel = context.WithTimeout(ctx, share/time.Duration(waiting))
		defer cancel()
	}
	goal := search.Goal{Box: g.box}
	for _, c := range g.cases {
		if !c.proven {
			goal.Cases = append(goal.Cases, c.asked())
		}
	}
	var found Result
	goal.Try = func(ctx context.Context, x []float64) (bool, error) {
		const what = "found by halving the input set"
		r, ok, err := v.tryPoint(ctx, g, x, what)
		if err == nil && !ok {
			r, ok, err = v.tryReal(ctx, g, x, what)
		}
		if ok {
			found = r
		}
		return ok, err
	}
	var out search.Outcome
	var err error
	bySides := d.o.sides || g.varying() > searchInputs || g.varying() > exactInputs && v.net.Neurons() <= search.Small
	if bySides {
		out, err = search.Neurons(own, v.net, boundOptions(d.o), goal, search.Settings{Threads: d.o.Threads})
	}
	// Where sides of ReLUs do not decide it, and time is left, the rest is curved: smaller boxes are what makes it straight.
	if !bySides || err == nil && !out.Proven && !out.Found && own.Err() == nil {
		out, err = search.Inputs(own, v.net, bound.DeepPoly, boundOptions(d.o), goal, search.Settings{Threads: d.o.Threads})
	}
	switch {
	case err != nil:
		return err
	case out.Found:
		found.Method = Complete
		d.settle(g, found)
	case out.Proven:
		g.used = Complete
		d.settle(g, Result{Verdict: Verified, Margin: max(0, out.Least), Method: Complete, Reason: fmt.Sprintf("proven by deeppoly on %d parts of the input set%s", out.Done, g.rounded())})
	case ctx.Err() != nil:
		return ctx.Err()
	default:
		why := out.Why
		if why == "" {
			why = "the time for it ran out"
		}
		g.searched = fmt.Sprintf("the search left %d parts of the input set open, %.3g %% of its volume: %s", out.Open, 100*(1-out.Share), why)
		if math.IsInf(out.Worst, 0) {
			break
		}
		g.used = Complete
		for _, c := range g.cases {
			if !c.proven {
				c.margin, c.by = out.Worst, Complete
			}
		}
	}
	return nil
}

// asked is an open case as the search takes it.
func (c *openCase) asked() search.Case {
	q := search.Case{Rows: c.rows, Bound: c.bound}
	for k := range c.rows {
		q.Strict = append(q.Strict, c.c.Constraints[k].Strict)
		if len(c.loss[k]) > 0 {
			q.Loss = func(k int, out bound.Box) float64 { return coefError(out, c.loss[k]) }
		}
	}
	return q
}

package verify

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/verify/internal/bound"
	"github.com/shallow-waters/shoal/verify/internal/search"
)

const (
	// searchInputs is how many inputs may vary for boxes to be halved: each halving of all sides doubles the boxes so many times.
	searchInputs = 24
	// exactInputs is how many inputs may vary for small networks to be halved, and not to be decided by linear programs.
	exactInputs = 12
)

// searching splits what is left until every case is disproved on every part, or a counterexample is found.
func searching(ctx context.Context, v *Verifier, d *decision) error {
	left := d.left()
	for i, g := range left {
		if d.falsified[g.property] || g.wide != nil {
			continue
		}
		if err := v.halve(ctx, d, g, len(left)-i); err != nil {
			return err
		}
	}
	return nil
}

// small tells whether the search decides the network by linear programs from the start.
func (v *Verifier) small() bool { return v.net.Hinged() && v.net.Neurons() <= search.Small }

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

// bySides tells whether a group is searched over sides of hinges rather than by halving its box.
func (v *Verifier) bySides(o Options, g *group) bool {
	return o.sides || g.varying() > searchInputs || g.varying() > exactInputs && v.net.Neurons() <= search.Small
}

// halve decides one group within its share of the time: what is left until the deadline, divided by the groups that wait.
func (v *Verifier) halve(ctx context.Context, d *decision, g *group, waiting int) error {
	own := ctx
	if end, ok := d.until(ctx); ok {
		var cancel context.CancelFunc
		own, cancel = context.WithTimeout(ctx, time.Until(end)/time.Duration(waiting))
		defer cancel()
	}
	bySides := v.bySides(d.o, g)
	kept, tells := v.keeps(d.o, bySides), v.tells(d.o, bySides)
	goal := search.Goal{Box: g.box}
	for _, c := range g.cases {
		if !c.proven || kept != nil || tells { // a certificate is of all
			goal.Cases = append(goal.Cases, c.asked())
		}
	}
	var trying sync.Mutex // a point after the other: the attack beside the search has some too
	var found Result
	try := func(ctx context.Context, x []float64, what string) (bool, []float64, error) {
		trying.Lock()
		defer trying.Unlock()
		r, y, ok, err := v.tryOutputs(ctx, g, x, what)
		if err == nil && !ok {
			r, ok, err = v.tryReal(ctx, g, x, what)
		}
		if ok {
			found = r
		}
		return ok, y, g.spare(ctx, err)
	}
	goal.Try = func(ctx context.Context, x []float64) (bool, []float64, error) {
		return try(ctx, x, "found by halving the input set")
	}
	if f, ok := d.o.Falsifier.(Persistent); ok {
		cases := g.constraints()
		goal.Attack = func(ctx context.Context, box bound.Box, d time.Duration) ([][]float64, error) {
			points, err := persist(ctx, f, box, cases, d, siegeMost)
			return g.points(ctx, points, err)
		}
	}
	with := search.Settings{Threads: d.o.Threads, Memory: openMemory(ctx), Progress: d.watched(time.Now()), Root: d.root,
		First: d.o.first, Rows: d.o.rows}
	own, stop := context.WithCancel(own)
	defer stop()
	var hit atomic.Bool
	attacked := v.beside(own, d, g, func(ctx context.Context, x []float64) (bool, error) {
		ok, _, err := try(ctx, x, "found by attack")
		return ok, err
	}, func() { hit.Store(true); stop() })
	var out search.Outcome
	var err error
	if tells {
		out, err = v.telling(own, d, g, goal, with)
	}
	if bySides && err == nil && !out.Proven && !out.Found && own.Err() == nil {
		out, err = v.overSides(own, d.o, goal, with)
	}
	// Where sides of ReLUs do not decide it, and time is left, the rest is curved: smaller boxes are what makes it straight.
	if !bySides || err == nil && !out.Proven && !out.Found && own.Err() == nil {
		out, err = v.keeping(own, d.o, g, goal, with, kept)
	}
	if out.Proven || out.Found || err != nil {
		stop()
	}
	attacked()
	switch {
	case hit.Load() || out.Found:
		found.Method = Complete
		d.settle(g, found)
	case err != nil:
		return err
	case out.Proven:
		g.used = Complete
		d.settle(g, Result{Verdict: Verified, Margin: max(0, out.Least), Method: Complete,
			Reason: fmt.Sprintf("proven by complete search, on %d parts of the input set%s", out.Done, g.rounded())})
	default:
		g.searched = fmt.Sprintf("complete search leaves %d parts of the input set open, %.3g %% of it", out.Open, 100*(1-out.Share))
		switch {
		case out.Why != "":
			g.searched += ": " + out.Why
		case ctx.Err() == nil:
			g.searched += ": the time for it ran out"
		}
		if !math.IsInf(out.Worst, 0) {
			g.used = Complete
			for _, c := range g.cases {
				if !c.proven {
					c.margin, c.by = out.Worst, Complete
				}
			}
		}
		return ctx.Err()
	}
	return nil
}

// overSides searches over sides: of the network as it is, and then of its maxima and products too, where it has some.
func (v *Verifier) overSides(ctx context.Context, o Options, g search.Goal, with search.Settings) (search.Outcome, error) {
	other := v.inHinges(ctx, o.Semantics)
	first := ctx
	if end, ok := ctx.Deadline(); ok && other != nil {
		var cancel context.CancelFunc
		first, cancel = context.WithTimeout(ctx, time.Duration(hingedAfter*float64(time.Until(end))))
		defer cancel()
	}
	out, err := search.Neurons(first, v.net, boundOptions(o), g, with)
	if err != nil || other == nil || out.Proven || out.Found || ctx.Err() != nil {
		return out, err
	}
	with.Root = nil // it is of the other network
	return search.Neurons(ctx, other, boundOptions(o), g, with)
}

// searchMemory is the part of the memory that is left which open parts may take: bounds of those at work need the rest.
const searchMemory = 4

// openMemory is the memory for open parts. Where nothing is left it is a byte, for 0 would lift the limit.
func openMemory(ctx context.Context) int64 { return max(1, budget.Of(ctx).Left()/searchMemory) }

// watched tells Options.Watch what a search tells; nil where nobody listens.
func (d *decision) watched(start time.Time) func(search.Progress) {
	if d.o.Watch == nil {
		return nil
	}
	return func(p search.Progress) {
		q := Progress{Stage: "search", Seconds: time.Since(start).Seconds(), Proven: p.Share, Open: p.Open, Parts: p.Done, Worst: p.Worst}
		if math.IsInf(q.Worst, 0) {
			q.Worst = math.NaN()
		}
		d.o.Watch(q)
	}
}

// siegeMost is the longest that an attack inside a search takes: networks with so few inputs are small, and a round is.
const siegeMost = time.Second

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

package search

import (
	"context"
	"time"

	"github.com/shallow-waters/shoal/verify/internal/bound"
)

// Effort is how much is spent on slopes.
type Effort struct {
	Steps int       // of the slopes of each row over outputs; those over neurons get refineSteps of them
	Until time.Time // no slope is moved after that; zero means without end
	// Learn has the refinement of a single problem note what a search over sides goes on with, which costs another pass of rows up.
	Learn bool
	Told  func(End) // of every row that bounds a hinge over a single problem; nil for nobody
}

// refineShare is what slopes of rows over neurons may take of the time that there is: the rest is for those over outputs.
const refineShare = 0.6

// refineSteps is how many of the steps rows over neurons get. Each is moved for its own bound: with 12 of 20, and 80 of 100, they are as tight on
// the reference cases as alpha-CROWN's, which moves them for the outputs'.
func refineSteps(steps int) int { return max((6*steps+9)/10, steps-20) }

// Alpha are bounds like DeepPoly's with lower slopes that are moved to where bounds are larger: those of the rows that bound hinges, and then those
// of each row that is asked. They are nowhere looser than DeepPoly's own, of which they are parts. Source: Xu et al. 2021 (alpha-CROWN).
type Alpha struct {
	*bound.Bounds               // of hinges that are refined
	plain         *bound.Bounds // DeepPoly's own
	ctx           context.Context
	o             bound.Options
	e             Effort
	f             influence // of the refinement of a single problem
}

// BoundAlpha bounds a network over problems. Where the time ends, what was found by then counts: no error comes of it.
func BoundAlpha(ctx context.Context, net *bound.Network, o bound.Options, problems []bound.Problem, e Effort) (*Alpha, error) {
	plain, err := bound.DeepPoly.Bound(ctx, net, o, problems)
	if err != nil {
		return nil, err
	}
	a := &Alpha{plain: plain, ctx: ctx, o: o, e: e}
	known := plain.View()
	parts := make([]bound.Problem, len(problems))
	for i, p := range problems {
		parts[i] = bound.Problem{Box: p.Box, Known: known, Of: i}
	}
	var f *influence
	if e.Learn && len(problems) == 1 {
		f = &a.f
	}
	if len(problems) > 1 {
		e.Told = nil
	}
	within := time.Duration(0)
	if !e.Until.IsZero() {
		within = max(1, time.Duration(refineShare*float64(time.Until(e.Until))))
	}
	o.Refine = (&hinges{ctx: ctx, threads: o.Threads, steps: refineSteps(e.Steps), within: within, f: f, told: e.Told}).refine()
	if a.Bounds, err = bound.DeepPoly.Bound(ctx, net, o, parts); err != nil {
		plain.Close()
		return nil, err
	}
	return a, nil
}

// Lower bounds rows over the flat outputs from below, as bound.Bounds has it.
func (a *Alpha) Lower(rows [][]float64, owner []int32, t *bound.Trace) ([]float64, error) {
	low, err := a.plain.Lower(rows, owner, t)
	if err != nil {
		return nil, err
	}
	var own *bound.Trace
	if t != nil {
		own = &bound.Trace{}
	}
	refined, err := a.Bounds.Lower(rows, owner, own)
	if err != nil {
		return nil, err
	}
	for i, x := range refined {
		if x > low[i] {
			low[i] = x
			t.Take(i, own, i)
		}
	}
	return low, climb(a.ctx, a.View(), owner, rows, a.e, a.o.Threads, low, t)
}

// Close gives the memory back.
func (a *Alpha) Close() {
	a.Bounds.Close()
	a.plain.Close()
}

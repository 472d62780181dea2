package verify

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"time"
)

// Where many inputs vary the search finds few points by itself, and a longer attack looks for them. Of a property that is proven soon it would be
// most of the time, and one that has a counterexample must not wait for the search's end: where there are threads for both they are tried beside
// each other, and what one of them decides ends the other. Several groups, which share the time, are attacked before they are searched, and on one
// thread all are.

// A longer attack has this share of what is left until the deadline, for all groups together, and no group more than the most.
const (
	againShare = 0.05
	againMost  = 2 * time.Second
)

// attacksAgain tells whether what is asked for has a longer attack.
func (v *Verifier) attacksAgain(o Options) bool {
	_, ok := o.Falsifier.(Persistent)
	return ok && o.searches() && !v.small()
}

// many are the groups that a longer attack is for.
func (d *decision) many() []*group {
	return slices.DeleteFunc(d.left(), func(g *group) bool { return g.varying() <= searchInputs })
}

// besides tells whether the longer attack waits for the search, to run beside it.
func (v *Verifier) besides(d *decision) bool {
	threads := d.o.Threads
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	return threads > 1 && v.attacksAgain(d.o) && len(d.left()) == 1 && len(d.many()) == 1
}

// attackAgain is the longer attack before the search.
func attackAgain(ctx context.Context, v *Verifier, d *decision) error {
	many := d.many()
	if len(many) == 0 {
		return nil
	}
	end, ok := d.until(ctx)
	if !ok {
		return nil
	}
	each := min(againMost, time.Duration(againShare*float64(time.Until(end)))/time.Duration(len(many)))
	f := d.o.Falsifier.(Persistent)
	return v.falsify(ctx, func(ctx context.Context, box Box, cases [][]Constraint) ([][]float64, error) {
		return persist(ctx, f, box, cases, each, 2*each)
	}, d, many)
}

// beside begins the longer attack on a group, where it runs beside the search: try is asked about the points that it finds, and hit is called where
// one counts. It takes twice as long as before a search would, since the search has half of the machine. What it gives back waits for it; the attack
// itself ends with the context.
func (v *Verifier) beside(ctx context.Context, d *decision, g *group, try func(context.Context, []float64) (bool, error), hit func()) (wait func()) {
	end, ok := d.until(ctx)
	if !ok || !v.besides(d) {
		return func() {}
	}
	each := 2 * min(againMost, time.Duration(againShare*float64(time.Until(end))))
	f, box, cases := d.o.Falsifier.(Persistent), *g.inner, g.constraints()
	var attack sync.WaitGroup
	attack.Go(func() {
		found, err := persist(ctx, f, box, cases, each, 2*each)
		points, err := g.points(ctx, found, err)
		if err != nil { // the context's end
			return
		}
		for _, x := range points {
			if ok, err := try(ctx, x); ok {
				hit()
				return
			} else if err != nil {
				return
			}
		}
	})
	return attack.Wait
}

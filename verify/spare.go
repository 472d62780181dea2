package verify

import (
	"context"
	"fmt"
)

// What looks for counterexamples may fail: an operator has no gradient, memory is missing, an engine refuses a point. Bounds know nothing of it, and
// so it ends no proof: every such error, of a falsifier as of running the network at a point that it gave, goes through spare, the work goes on
// without the point, and the result says what failed. That the network runs at all is seen at the set's centre, where an error is one.

// spare notes a search's failure, and gives an error only where the work is at its end: the context's. An end of the falsifier's own is a failure.
func (g *group) spare(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if end := ctx.Err(); end != nil {
		return end
	}
	g.faults.Lock()
	defer g.faults.Unlock()
	if g.fault == nil { // the first one: those that follow are most often the same
		g.fault = err
	}
	return nil
}

// points are those of a falsifier's answer that are points of the group's inputs.
func (g *group) points(ctx context.Context, found [][]float64, err error) ([][]float64, error) {
	for i, x := range found {
		if want := len(g.inner.Lower); len(x) != want && err == nil {
			found, err = found[:i:i], fmt.Errorf("%w: the falsifier gave a point of %d numbers for %d inputs", ErrInput, len(x), want)
			break
		}
	}
	return found, g.spare(ctx, err)
}

// spared says of a property what failed beside its proof; "" where nothing did.
func spared(gs []*group) string {
	for _, g := range gs {
		if g.fault != nil {
			return "; the search for counterexamples failed: " + g.fault.Error()
		}
	}
	return ""
}

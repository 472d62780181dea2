package verify

import (
	"context"
	"time"

	"github.com/shallow-waters/shoal/verify/certificate"
	"github.com/shallow-waters/shoal/verify/internal/search"
	"github.com/shallow-waters/shoal/verify/internal/weave"
)

// sideTree is what a search over sides of hinges found of a box while it decided it.
type sideTree struct {
	box   Box
	cases []int // of the property
	found weave.Findings
}

// tells tells whether a search over sides is to tell what a certificate is made of.
func (v *Verifier) tells(o Options, bySides bool) bool {
	return o.Record != nil && bySides && !o.Plain && o.Semantics == Real && v.net.Told()
}

// toldShare is what a search that tells may take of the time where more than hinges bend. It knows less of lines than one that does not tell, and a
// verdict is worth more than its certificate.
const toldShare = 0.25

// telling searches over sides by what a certificate can say, and keeps what proves the group.
func (v *Verifier) telling(ctx context.Context, d *decision, g *group, goal search.Goal, with search.Settings) (search.Outcome, error) {
	if end, ok := ctx.Deadline(); ok && !v.net.Hinged() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(toldShare*float64(time.Until(end))))
		defer cancel()
	}
	t := d.teller
	if with.Root == nil || t == nil {
		with.Root, t = nil, v.teller(g.numbers(), d.room, nil)
	}
	out, err := search.Neurons(ctx, v.net, boundOptions(d.o), goal, t.listens(with))
	if out.Proven && err == nil && !t.short && !out.Untold { // else a search of its own finds more
		d.room -= t.size
		g.sides = &sideTree{box: g.box, cases: g.numbers(), found: t.out}
	}
	return out, err
}

// numbers are those of a group's cases in the property.
func (g *group) numbers() (out []int) {
	for _, c := range g.cases {
		out = append(out, c.number)
	}
	return out
}

// told is what the search of a result found of a box of a claim; ok is false where it kept nothing of it.
func (r *Result) told(claim certificate.Property, box int) (found weave.Findings, ok bool) {
	for _, t := range r.sides {
		if isOf(claim, box, t.box, t.cases) {
			return t.found, true
		}
	}
	return found, false
}

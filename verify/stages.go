package verify

import (
	"context"
	"math"
	"slices"
	"time"
)

// stage is one step on the way to a verdict. Each stage takes what the ones before left open, settles what it can, and leaves the rest.
type stage struct {
	name string
	// when tells whether the stage has a place in what was asked for.
	when func(v *Verifier, o Options) bool
	run  func(ctx context.Context, v *Verifier, d *decision) error
}

// stages are tried in this order:
//
//   - the set's centre costs one run of the network, and many falsified properties end there;
//   - intervals cost one pass, and prove a good part of what can be proven;
//   - an attack then, before what costs more: a counterexample ends the matter;
//   - equations in the inputs, where these are few enough for them to be cheap;
//   - rows substituted back to the inputs;
//   - a longer attack, where the time is limited and many inputs vary: a small share of it may save the rest, and the search, which looks at
//     points of its own where few do, is often done sooner;
//   - the search, which takes all the time that is left.
var stages = []stage{
	{"centre", always, tryCentres},
	{"interval", asks(Interval, Auto, Complete), bounding(Interval)},
	{"attack", func(_ *Verifier, o Options) bool { return o.Falsifier != nil }, attack},
	{"symbolic", func(v *Verifier, o Options) bool {
		return o.Method == Symbolic || (o.Method == Auto || o.Method == Complete) && v.net.Inputs() <= fewInputs
	}, bounding(Symbolic)},
	{"fastlin", asks(FastLin), bounding(FastLin)},
	{"deeppoly", asks(DeepPoly, Auto, Complete), bounding(DeepPoly)},
	{"long attack", func(_ *Verifier, o Options) bool {
		_, ok := o.Falsifier.(Persistent)
		return ok && (o.Method == Auto || o.Method == Complete) && !o.brief
	}, attackAgain},
	{"search", func(_ *Verifier, o Options) bool { return o.Method == Complete || o.Method == Auto && !o.brief }, searching},
}

// fewInputs is up to how many inputs equations in them are cheap beside rows.
const fewInputs = 16

func always(*Verifier, Options) bool { return true }

func asks(ms ...Method) func(*Verifier, Options) bool {
	return func(_ *Verifier, o Options) bool { return slices.Contains(ms, o.Method) }
}

// decision is the work on some groups: what each stage works on.
type decision struct {
	o         Options
	groups    []*group
	falsified map[int]bool // by property: a property that is falsified needs no more of its groups
	start     time.Time
}

func newDecision(v *Verifier, o Options, groups []*group) *decision {
	return &decision{o: o, groups: groups, falsified: map[int]bool{}, start: time.Now()}
}

func (d *decision) settle(g *group, r Result) {
	g.result, g.settled = r, true
	if r.Verdict == Falsified {
		d.falsified[g.property] = true
	}
}

// left are the groups that are still open.
func (d *decision) left() []*group {
	var out []*group
	for _, g := range d.groups {
		if !g.settled && !d.falsified[g.property] {
			out = append(out, g)
		}
	}
	return out
}

// decide fills in every group's result. A deadline is no error: what is open then is unknown.
func (v *Verifier) decide(ctx context.Context, o Options, groups []*group) error {
	d := newDecision(v, o, groups)
	late := false
	for _, s := range stages {
		if len(d.left()) == 0 {
			break
		}
		if !s.when(v, o) {
			continue
		}
		err := s.run(ctx, v, d)
		if late = isDeadline(err); late {
			break
		}
		if err != nil {
			return err
		}
	}
	for _, g := range groups {
		if !g.settled && g.float32 != nil && !d.falsified[g.property] {
			d.settle(g, *g.float32)
		}
		if !g.settled && late {
			g.result = Result{Verdict: Unknown, Margin: math.NaN(), Timeout: true}
		}
		if !g.settled && g.result.Verdict == "" {
			g.result = Result{Verdict: Unknown, Margin: g.worst(), Method: g.used, Reason: g.reason()}
			if g.wide != nil || g.beyond != "" {
				g.result.Margin = math.NaN()
			}
		}
	}
	return nil
}

func tryCentres(ctx context.Context, v *Verifier, d *decision) error {
	const what = "the centre of the input set"
	for _, g := range d.groups {
		if d.falsified[g.property] {
			continue
		}
		r, ok, err := v.tryPoint(ctx, g, g.centre(), what)
		if err == nil && !ok {
			r, ok, err = v.tryReal(ctx, g, g.centre(), what)
		}
		if err != nil {
			return err
		}
		if ok {
			d.settle(g, r)
		}
	}
	return nil
}

func attack(ctx context.Context, v *Verifier, d *decision) error {
	return v.falsify(ctx, d.o.Falsifier.Falsify, d, d.left())
}

// A longer attack has this share of what is left until the deadline, for all groups together, and no group more than the most.
const (
	againShare = 0.05
	againMost  = 2 * time.Second
)

func attackAgain(ctx context.Context, v *Verifier, d *decision) error {
	end, ok := ctx.Deadline()
	many := slices.DeleteFunc(d.left(), func(g *group) bool { return g.varying() <= searchInputs })
	if !ok || len(many) == 0 {
		return nil
	}
	each := min(againMost, time.Duration(againShare*float64(time.Until(end)))/time.Duration(len(many)))
	f := d.o.Falsifier.(Persistent)
	return v.falsify(ctx, func(ctx context.Context, box Box, cases [][]Constraint) ([][]float64, error) {
		return f.Persist(ctx, box, cases, each)
	}, d, many)
}

// bounding is the stage of a domain, over batches of boxes.
func bounding(m Method) func(context.Context, *Verifier, *decision) error {
	return func(ctx context.Context, v *Verifier, d *decision) error {
		left := d.left()
		size := batchBoxes
		if domains[m].Alone() {
			size = 1
		}
		for at := 0; at < len(left); at += size {
			batch := slices.DeleteFunc(slices.Clone(left[at:min(at+size, len(left))]), func(g *group) bool { return d.falsified[g.property] })
			if len(batch) == 0 {
				continue
			}
			if err := v.try(ctx, d.o, m, batch, d); err != nil {
				return err
			}
		}
		return nil
	}
}

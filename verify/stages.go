package verify

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/verify/internal/search"
)

// stage is one step on the way to a verdict. Each stage takes what the ones before left open, settles what it can, and leaves the rest.
type stage struct {
	name string
	// when tells whether the stage has a place in what was asked for.
	when func(v *Verifier, d *decision) bool
	run  func(ctx context.Context, v *Verifier, d *decision) error
}

// stages are tried in this order. Auto and Complete go through all that fit the question, which is a ladder: interval, deeppoly, attack, alpha,
// search.
//
//   - the set's centre costs one run of the network, and many falsified properties end there;
//   - intervals cost one pass, and prove a good part of what can be proven;
//   - an attack then, before what costs more: a counterexample ends the matter;
//   - equations in the inputs, where these are few enough for them to be cheap;
//   - rows substituted back to the inputs;
//   - moved slopes, where many inputs vary: they are what the search over sides begins with, and go on into it. Halving boxes gains more from
//     plain ones;
//   - a longer attack, where many inputs vary: a small share of the time may save the rest. The search looks at points of its own where few do, or
//     where linear programs decide, and is often done sooner. See beside.go for where both are tried at once;
//   - the search, which takes all the time that is left.
var stages = []stage{
	{"centre", always, tryCentres},
	{"interval", asks(Interval, Auto, Complete), bounding(Interval)},
	{"attack", func(_ *Verifier, d *decision) bool { return d.o.Falsifier != nil }, attack},
	{"symbolic", func(v *Verifier, d *decision) bool {
		return d.o.Method == Symbolic || (d.o.Method == Auto || d.o.Method == Complete) && v.net.Inputs() <= fewInputs
	}, bounding(Symbolic)},
	{"fastlin", asks(FastLin), bounding(FastLin)},
	{"fastlin-plain", asks(FastLinPlain), bounding(FastLinPlain)},
	{"deeppoly", asks(DeepPoly, Auto, Complete), bounding(DeepPoly)},
	{"alpha", func(_ *Verifier, d *decision) bool { return d.o.Method == Alpha || d.o.searches() }, moving},
	{"long attack", func(v *Verifier, d *decision) bool { return v.attacksAgain(d.o) && !v.besides(d) }, attackAgain},
	{"search", func(_ *Verifier, d *decision) bool { return d.o.searches() }, searching},
}

// fewInputs is up to how many inputs equations in them are cheap beside rows.
const fewInputs = 16

// searches tells whether what takes as long as it may has a place.
func (o Options) searches() bool { return o.Method == Complete || o.Method == Auto && o.Within >= 0 }

func always(*Verifier, *decision) bool { return true }

func asks(ms ...Method) func(*Verifier, *decision) bool {
	return func(_ *Verifier, d *decision) bool { return slices.Contains(ms, d.o.Method) }
}

// decision is the work on some groups: what each stage works on.
type decision struct {
	o         Options
	groups    []*group
	falsified map[int]bool   // by property: a property that is falsified needs no more of its groups
	rungs     map[int][]Rung // by property
	end       time.Time      // of what takes as long as it may; see until
	root      *search.Alpha  // of the only group that alpha left open: the search goes on from there
	teller    *teller        // that was told how root came about; nil for none
	room      int            // numbers that may still be kept of what searches tell
}

func newDecision(o Options, groups []*group) *decision {
	return &decision{o: o, groups: groups, room: maxFound, falsified: map[int]bool{}, rungs: map[int][]Rung{}}
}

// autoTime is what auto spends on a property that deeppoly has left open, where nothing else is said: whoever asks about many samples waits for each.
const autoTime = 2 * time.Second

func (o Options) within() time.Duration {
	if o.Within == 0 {
		return autoTime
	}
	return o.Within
}

// until is the end of what takes as long as it may: the context's deadline, or for auto Options.Within for each property that is open when it is
// asked for the first time. ok is false where there is none.
func (d *decision) until(ctx context.Context) (end time.Time, ok bool) {
	if t, ok := ctx.Deadline(); ok {
		return t, true
	}
	if d.o.Method != Auto {
		return time.Time{}, false
	}
	if d.end.IsZero() {
		d.end = time.Now().Add(d.o.within() * time.Duration(len(d.open())))
	}
	return d.end, true
}

// open are the numbers of open cases, by property that has any.
func (d *decision) open() map[int]int {
	out := map[int]int{}
	for _, g := range d.left() {
		out[g.property] += g.open()
	}
	return out
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

// decide fills in every group's result, and gives the rungs of every property. A deadline is no error: what is open then is unknown. Nor is memory
// that a stage does not get: others may need less, and what they leave open is unknown for that reason.
func (v *Verifier) decide(ctx context.Context, o Options, groups []*group) (map[int][]Rung, error) {
	d := newDecision(o, groups)
	defer d.goOn(nil)
	var end error // of the context
	var full *budget.Error
	for _, s := range stages {
		open := d.open()
		if len(open) == 0 {
			break
		}
		if !s.when(v, d) {
			continue
		}
		start := time.Now()
		if o.Watch != nil {
			o.Watch(Progress{Stage: s.name, Worst: math.NaN()})
		}
		err := s.run(ctx, v, d)
		d.climbed(s.name, open, time.Since(start))
		if isDeadline(err) {
			end = err
			break
		}
		if errors.As(err, &full) {
			continue
		}
		if err != nil {
			return nil, err
		}
	}
	for _, g := range groups {
		if !g.settled && g.float32 != nil && !d.falsified[g.property] {
			d.settle(g, *g.float32)
		}
		if !g.settled && end != nil {
			g.result = Result{Verdict: Unknown, Margin: math.NaN(), Method: o.Method, Timeout: true, Reason: g.late(end)}
			if g.used != "" && g.beyond == "" {
				g.result.Margin, g.result.Method = g.worst(), g.used
			}
		}
		if !g.settled && g.result.Verdict == "" {
			g.result = Result{Verdict: Unknown, Margin: g.worst(), Method: g.used, Reason: g.reason()}
			if g.wide != nil || g.beyond != "" || g.used == "" {
				g.result.Margin = math.NaN()
			}
			if full != nil {
				g.result.Reason = full.Error()
				if g.used == "" {
					g.result.Method = o.Method
				}
			}
		}
	}
	return d.rungs, nil
}

// climbed notes a stage for the properties that were open before it.
func (d *decision) climbed(name string, before map[int]int, took time.Duration) {
	after := d.open()
	for p := range before {
		d.rungs[p] = append(d.rungs[p], Rung{Name: name, Seconds: took.Seconds() / float64(len(before)), Open: after[p]})
	}
}

// goOn keeps what the search goes on from, and gives back what was kept before.
func (d *decision) goOn(root *search.Alpha) {
	if d.root != nil {
		d.root.Close()
	}
	d.root = root
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

// bounding is the stage of a domain, over batches of boxes.
func bounding(m Method) func(context.Context, *Verifier, *decision) error {
	return func(ctx context.Context, v *Verifier, d *decision) error {
		left := d.left()
		size := batchBoxes
		if alone(m) {
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

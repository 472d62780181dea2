package verify

import (
	"context"
	"fmt"
	"math"
	"time"
)

// Falsify only searches for a counterexample: it never proves. The verdict is Falsified or Unknown. An error of the falsifier is one where nothing
// was found beside it.
func (v *Verifier) Falsify(ctx context.Context, p Property, f Falsifier) (Result, error) {
	start := time.Now()
	if f == nil {
		return Result{}, fmt.Errorf("%w: there is no search for counterexamples", ErrInput)
	}
	gs, err := v.groups(p, v.o.Semantics)
	if err != nil {
		return Result{}, err
	}
	res := Result{Verdict: Unknown, Margin: math.NaN(), Reason: "no counterexample was found"}
	d := newDecision(v.o, gs)
	err = v.falsify(ctx, f.Falsify, d, d.left())
	if isDeadline(err) {
		res.Timeout, err = true, nil
	}
	for _, g := range gs {
		switch {
		case g.settled:
			res = g.result
		case res.Verdict == Unknown && g.float32 != nil:
			res = *g.float32
		}
	}
	res.Seconds = time.Since(start).Seconds()
	for _, g := range gs { // nothing but the search was asked for
		if err == nil && res.Verdict != Falsified {
			err = g.fault
		}
	}
	return res, err
}

// falsify lets an attack look for counterexamples to the open cases of some groups.
func (v *Verifier) falsify(ctx context.Context, f func(context.Context, Box, [][]Constraint) ([][]float64, error), d *decision,
	groups []*group) error {
	for _, g := range groups {
		if d.falsified[g.property] {
			continue
		}
		found, err := f(ctx, *g.inner, g.constraints())
		points, err := g.points(ctx, found, err)
		if err != nil {
			return err
		}
		for _, x := range points {
			r, ok, err := v.tryPoint(ctx, g, x, "found by attack")
			if err == nil && !ok {
				r, ok, err = v.tryReal(ctx, g, x, "found by attack")
			}
			if err := g.spare(ctx, err); err != nil {
				return err
			}
			if ok {
				d.settle(g, r)
				break
			}
		}
	}
	return nil
}

// constraints are those of the cases that are open.
func (g *group) constraints() [][]Constraint {
	var out [][]Constraint
	for _, c := range g.cases {
		if !c.proven {
			out = append(out, c.c.Constraints)
		}
	}
	return out
}

// persist asks for a longer attack of about d, and has it end in any case: a round of a large network's may take longer than all of it should.
func persist(ctx context.Context, f Persistent, box Box, cases [][]Constraint, d, most time.Duration) ([][]float64, error) {
	own, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	points, err := f.Persist(own, box, cases, d)
	if isDeadline(err) && ctx.Err() == nil {
		return nil, nil
	}
	return points, err
}

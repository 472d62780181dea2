package verify

import (
	"context"
	"math"
	"math/big"

	"github.com/shallow-waters/shoal/internal/sound"
)

// Replay rounds a point into the property's exact boxes in float32, runs the network, and tells whether it meets a case: the same check
// that every counterexample passes. nil means that it does not.
func (v *Verifier) Replay(ctx context.Context, p Property, x []float64) (*Counterexample, error) {
	gs, err := v.groups(p, v.o.Semantics)
	if err != nil {
		return nil, err
	}
	for _, g := range gs {
		if len(x) != len(g.inner.Lower) {
			continue
		}
		r, ok, err := v.tryPoint(ctx, g, x, "replayed")
		if err != nil {
			return nil, err
		}
		if ok {
			return r.Counterexample, nil
		}
		if g.float32 != nil {
			return g.float32.Counterexample, nil
		}
	}
	return nil, nil
}

// tryPoint rounds a point into the inner box in float32, runs the network, and checks the cases exactly. Where the box holds no
// float32 in some coordinate there is nothing to try.
func (v *Verifier) tryPoint(ctx context.Context, g *group, x []float64, what string) (Result, bool, error) {
	r, _, ok, err := v.tryOutputs(ctx, g, x, what)
	return r, ok, err
}

// tryOutputs is tryPoint that gives the outputs of the execution too, nil for none.
func (v *Verifier) tryOutputs(ctx context.Context, g *group, x []float64, what string) (Result, []float64, bool, error) {
	in := make([]float32, len(x))
	for i, f := range x {
		c, ok := sound.Float32In(f, g.inner.Lower[i], g.inner.Upper[i])
		if !ok {
			return Result{}, nil, false, nil
		}
		in[i] = c
	}
	y, err := v.Predict(ctx, in)
	if err != nil {
		return Result{}, nil, false, err
	}
	point := Box{Lower: make([]float64, len(in)), Upper: make([]float64, len(in))}
	for i, f := range in {
		point.Lower[i], point.Upper[i] = float64(f), float64(f)
	}
	if v.o.Semantics == Real && !finite(y) {
		r, ok, err := v.tryUnrun(ctx, g, in, point, what)
		return r, nil, ok, err
	}
	for _, c := range g.cases {
		if !c.c.met(y) {
			continue
		}
		res := Result{Verdict: Falsified, FalsifiedIn: Float32, Margin: math.NaN(), Method: v.o.Method,
			Reason:         "counterexample: " + what,
			Counterexample: &Counterexample{Inputs: in, Outputs: y}}
		if v.o.Semantics == Float32 {
			return res, y, true, nil
		}
		real, err := v.allMet(ctx, point, c.c)
		if err != nil {
			return Result{}, nil, false, err
		}
		if real || v.metExactly(point, c.c) {
			res.FalsifiedIn = Real
			return res, y, true, nil
		}
		if g.float32 == nil {
			res.Reason += "; it is one of float32 executions, and nothing is proven of the real network there"
			g.float32 = &res
		}
	}
	return Result{}, y, false, nil
}

// metExactly tells whether the real network is known to meet all constraints of a case at a point, where bounds cannot say so because a constraint
// holds with nothing to spare.
func (v *Verifier) metExactly(point Box, c *Case) bool {
	return c.met(v.net.Exactly(point.Lower)) // of logits, too: a softmax keeps the order of two, and ties
}

// met tells, exactly, whether outputs meet all constraints.
func (c *Case) met(y []float64) bool {
	for _, q := range c.Constraints {
		sum, t := new(big.Rat), new(big.Rat)
		for k, i := range q.Index {
			if t.SetFloat64(y[i]) == nil {
				return false // an infinity or NaN is no number to compare
			}
			sum.Add(sum, t.Mul(t, q.Coef[k]))
		}
		if cmp := sum.Cmp(q.Bound); cmp > 0 || cmp == 0 && q.Strict {
			return false
		}
	}
	return true
}

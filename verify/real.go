package verify

import (
	"context"
	"math"
	"math/big"

	"github.com/shallow-waters/shoal/internal/sound"
)

// A box whose ends are decimal numbers may hold no float32 at all in some coordinate (0.1 <= x <= 0.1). No execution of the network is a
// counterexample then, but a real point may be one: that is proven, by bounds over a box of neighbouring float64s around it.

// holdsFloat32 tells whether every coordinate of the exact box has a float32.
func (g *group) holdsFloat32() bool {
	for i, lo := range g.inner.Lower {
		if !(float64(sound.Float32Above(lo)) <= g.inner.Upper[i]) {
			return false
		}
	}
	return true
}

// tryReal proves that a real point near x, in the box, meets a case. It answers for the network over the real numbers only.
func (v *Verifier) tryReal(ctx context.Context, g *group, x []float64, what string) (Result, bool, error) {
	if v.o.Semantics != Real || g.holdsFloat32() {
		return Result{}, false, nil
	}
	near := make([]float32, len(x))
	tiny := Box{Lower: make([]float64, len(x)), Upper: make([]float64, len(x))}
	for i, f := range x {
		lo, up := g.inner.Lower[i], g.inner.Upper[i]
		if lo <= up {
			f = max(lo, min(up, f))
			lo, up = f, f
		} else { // not even a float64: the true interval lies between the two around it
			lo, up = g.box.Lower[i], g.box.Upper[i]
			f = lo
		}
		if !(lo <= up) {
			return Result{}, false, nil
		}
		tiny.Lower[i], tiny.Upper[i], near[i] = lo, up, float32(f)
	}
	y, err := v.Predict(ctx, near)
	if err != nil {
		return Result{}, false, err
	}
	for _, c := range g.cases {
		if !c.c.met(y) {
			continue
		}
		ok, err := v.allMet(ctx, tiny, c.c)
		if err != nil {
			return Result{}, false, err
		}
		if ok {
			return Result{Verdict: Falsified, FalsifiedIn: Real, Margin: math.NaN(), Method: v.o.Method,
				Reason:         "counterexample over the reals, proven by bounds: " + what + "; no float32 lies in the box, the inputs given are the nearest",
				Counterexample: &Counterexample{Inputs: near, Outputs: y, Nearest: true}}, true, nil
		}
	}
	return Result{}, false, nil
}

// tryUnrun proves that a real point meets a case where float32 executions end in infinities or NaN: bounds stand in for the outputs.
func (v *Verifier) tryUnrun(ctx context.Context, g *group, in []float32, point Box, what string) (Result, bool, error) {
	for _, c := range g.cases {
		ok, err := v.allMet(ctx, point, c.c)
		if err != nil || !ok {
			if err != nil {
				return Result{}, false, err
			}
			continue
		}
		b, err := v.bound(ctx, v.o, Interval, point)
		if err != nil {
			return Result{}, false, err
		}
		out := b.Outputs(0)
		b.Close()
		y := make([]float64, len(out.Lower))
		for i, l := range out.Lower {
			y[i] = 0.5*l + 0.5*out.Upper[i]
		}
		if !finite(y) {
			return Result{}, false, nil
		}
		return Result{Verdict: Falsified, FalsifiedIn: Real, Margin: math.NaN(), Method: v.o.Method,
			Reason:         "counterexample over the reals, proven by bounds: " + what + "; float32 executions leave the finite numbers there",
			Counterexample: &Counterexample{Inputs: in, Outputs: y}}, true, nil
	}
	return Result{}, false, nil
}

func finite(y []float64) bool {
	for _, x := range y {
		if math.IsInf(x, 0) || math.IsNaN(x) {
			return false
		}
	}
	return true
}

// allMet proves that every point of a box meets all constraints of a case: that none of their opposites can be met.
func (v *Verifier) allMet(ctx context.Context, box Box, c *Case) (bool, error) {
	if len(c.Constraints) == 0 {
		return true, nil
	}
	var p Property
	for _, q := range c.Constraints {
		not := Constraint{Index: q.Index, Bound: new(big.Rat).Neg(q.Bound), Strict: !q.Strict}
		for _, a := range q.Coef {
			not.Coef = append(not.Coef, new(big.Rat).Neg(a))
		}
		p.Cases = append(p.Cases, Case{Box: box, Constraints: []Constraint{not}})
	}
	gs, err := v.groups(p, Real)
	if err != nil || len(gs) == 0 { // no opposite can be met: each compares values with themselves
		return err == nil, err
	}
	o := v.o
	o.Falsifier, o.Semantics, o.Plain = nil, Real, false
	for _, m := range []Method{Interval, DeepPoly} { // on a point intervals are all but exact, and cost one forward pass
		b, err := v.bound(ctx, o, m, box)
		if err != nil {
			return false, err
		}
		err = v.prove(b, m, gs)
		b.Close()
		if err != nil {
			return false, err
		}
		if gs[0].open() == 0 {
			return true, nil
		}
	}
	return false, nil
}

package verify

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"time"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/verify/internal/bound"
)

// group is a box with all cases that share it: they are bounded together.
type group struct {
	box   Box
	inner *Box
	cases []*openCase

	property int // number of the property that it belongs to
	used     Method
	wide     error // the domain does not fit this network
	result   Result
	settled  bool // the result is final

	// float32 is a falsification by an execution at a point where nothing is proven of the real network; only under Real.
	float32 *Result
	beyond  string // why nothing is known of float32 executions, see pass.beyondReason
}

// openCase is a case on its way to a proof.
type openCase struct {
	c      *Case
	rows   [][]float64 // one per constraint, over the flat outputs
	bound  []float64   // rounded up
	loss   []loss      // what a row's coefficients lost when they became float64s
	margin float64     // best proven lower bound of a row minus its bound
	best   int         // the constraint that gave it
	proven bool
}

// Verify answers one property. A cancelled context or passed deadline gives Unknown with Timeout set, not an error.
func (v *Verifier) Verify(ctx context.Context, p Property) (Result, error) {
	rs, err := v.verify(ctx, v.o, []Property{p})
	if err != nil {
		return Result{}, err
	}
	return rs[0], nil
}

// VerifyAll answers several properties together: their boxes are bounded in one batch, as far as the domain can.
func (v *Verifier) VerifyAll(ctx context.Context, ps []Property) ([]Result, error) {
	return v.verify(ctx, v.o, ps)
}

func (v *Verifier) verify(ctx context.Context, o Options, ps []Property) ([]Result, error) {
	start := time.Now()
	var all []*group
	byProperty := make([][]*group, len(ps))
	for i, p := range ps {
		gs, err := v.groups(p, o.Semantics)
		if err != nil {
			return nil, err
		}
		for _, g := range gs {
			g.property = i
		}
		byProperty[i] = gs
		all = append(all, gs...)
	}
	if err := v.decide(ctx, o, all); err != nil {
		return nil, err
	}
	out := make([]Result, len(ps))
	for i, gs := range byProperty {
		out[i] = join(gs, o)
		out[i].Seconds = time.Since(start).Seconds()
	}
	return out, nil
}

// join is the verdict over all boxes of a property.
func join(groups []*group, o Options) Result {
	res := Result{Verdict: Verified, Margin: math.Inf(1), Method: o.Method, Reason: "no input meets the property's conditions"}
	if len(groups) == 0 {
		res.Margin = math.NaN()
		return res
	}
	open, timeout := 0, false
	for _, g := range groups {
		r := g.result
		if r.Verdict == Falsified {
			return r
		}
		timeout = timeout || r.Timeout
		if r.Verdict == Unknown {
			open++
		}
		if r.Margin <= res.Margin || res.Verdict == Verified && r.Verdict == Unknown {
			margin := min(res.Margin, r.Margin)
			verdict := res.Verdict
			if r.Verdict == Unknown {
				verdict = Unknown
			}
			reason := r.Reason
			if verdict == Unknown && r.Verdict != Unknown {
				reason = res.Reason
			}
			res = Result{Verdict: verdict, Margin: margin, Method: r.Method, Reason: reason}
		}
	}
	if timeout {
		return Result{Verdict: Unknown, Reason: "the time ran out", Margin: math.NaN(), Method: o.Method, Timeout: true}
	}
	if open > 0 && len(groups) > 1 {
		res.Reason = fmt.Sprintf("%d of %d input boxes stay open; %s", open, len(groups), res.Reason)
	}
	return res
}

// groups checks the property and sorts its cases by box.
func (v *Verifier) groups(p Property, s Semantics) ([]*group, error) {
	var out []*group
	byBox := map[[2]*float64]*group{}
	for i := range p.Cases {
		c := &p.Cases[i]
		if c.fault != nil {
			return nil, c.fault
		}
		if len(c.Box.Lower) == 0 || len(c.Box.Upper) == 0 {
			return nil, fmt.Errorf("%w: case %d has no box", ErrInput, i)
		}
		key := [2]*float64{&c.Box.Lower[0], &c.Box.Upper[0]}
		g := byBox[key]
		if g == nil {
			if err := v.checkBox(c.Box); err != nil {
				return nil, fmt.Errorf("case %d: %w", i, err)
			}
			g = &group{box: c.Box, inner: c.Inner}
			if g.inner == nil {
				g.inner = &g.box
			}
			byBox[key] = g
			out = append(out, g)
		}
		oc, err := v.open(c, s)
		if err != nil {
			return nil, fmt.Errorf("case %d: %w", i, err)
		}
		g.cases = append(g.cases, oc)
	}
	if s == Float32 && v.net.SoftmaxDropped() {
		for _, g := range out {
			if err := g.aboveAll(v.net.Outputs()); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

func (v *Verifier) open(c *Case, s Semantics) (*openCase, error) {
	oc := &openCase{c: c, margin: math.Inf(-1)}
	for _, q := range c.Constraints {
		if len(q.Index) != len(q.Coef) || q.Bound == nil {
			return nil, fmt.Errorf("%w: a constraint of %d outputs and %d coefficients", ErrInput, len(q.Index), len(q.Coef))
		}
		row, lost, bound, err := v.row(q)
		if err != nil {
			return nil, err
		}
		if v.net.SoftmaxDropped() {
			if !q.order() {
				return nil, fmt.Errorf("%w: a last Softmax is left out, so only the order of two outputs can be asked", ErrInput)
			}
			if s == Float32 {
				bound = op.Up(largest(row) * softmaxGap(v.net.Outputs()))
			}
		}
		oc.rows = append(oc.rows, row)
		oc.bound = append(oc.bound, bound)
		oc.loss = append(oc.loss, lost)
	}
	return oc, nil
}

// roundUp is the least float64 that is not below r.
func roundUp(r *big.Rat) float64 {
	f, exact := nearest(r)
	if exact || math.IsInf(f, 1) {
		return f
	}
	if math.IsInf(f, -1) { // r is finite, and so has a float64 above it
		return -math.MaxFloat64
	}
	if new(big.Rat).SetFloat64(f).Cmp(r) < 0 {
		f = math.Nextafter(f, math.Inf(1))
	}
	return f
}

// methods lists the domains to try in turn.
func (v *Verifier) methods(o Options) []Method {
	if o.Method != Auto {
		return []Method{o.Method}
	}
	ms := []Method{Interval}
	if v.net.Inputs() <= 16 {
		ms = append(ms, Symbolic)
	}
	return append(ms, DeepPoly)
}

// batchBoxes is how many boxes are bounded together: their rows fill the matrix kernels, and their states the memory.
const batchBoxes = 8

// decide fills in every group's result: counterexamples first, then the domains in turn, over batches of boxes. A property that is
// falsified needs no more of its groups.
func (v *Verifier) decide(ctx context.Context, o Options, groups []*group) error {
	falsified := map[int]bool{}
	settle := func(g *group, r Result) {
		g.result, g.settled = r, true
		if r.Verdict == Falsified {
			falsified[g.property] = true
		}
	}
	stop := func(err error) error {
		if !isDeadline(err) {
			return err
		}
		for _, g := range groups {
			if !g.settled {
				g.result = Result{Verdict: Unknown, Margin: math.NaN(), Timeout: true}
			}
		}
		return nil
	}
	for _, g := range groups {
		if falsified[g.property] {
			continue
		}
		r, ok, err := v.tryPoint(ctx, g, g.centre(), "the centre of the input set")
		if err == nil && !ok {
			r, ok, err = v.tryReal(ctx, g, g.centre(), "the centre of the input set")
		}
		if err != nil {
			return stop(err)
		}
		if ok {
			settle(g, r)
		}
	}
	asked := o.Falsifier == nil
	for _, m := range v.methods(o) {
		if m != Interval && !asked {
			asked = true
			if err := v.falsify(ctx, o.Falsifier, groups, falsified, settle); err != nil {
				return stop(err)
			}
		}
		var left []*group
		for _, g := range groups {
			if !g.settled && !falsified[g.property] {
				left = append(left, g)
			}
		}
		size := batchBoxes
		if domains[m].Alone() {
			size = 1
		}
		for at := 0; at < len(left); at += size {
			batch := slices.DeleteFunc(slices.Clone(left[at:min(at+size, len(left))]), func(g *group) bool { return falsified[g.property] })
			if len(batch) == 0 {
				continue
			}
			if err := v.try(ctx, o, m, batch, settle); err != nil {
				return stop(err)
			}
		}
	}
	if !asked { // the interval domain alone was asked for
		if err := v.falsify(ctx, o.Falsifier, groups, falsified, settle); err != nil {
			return stop(err)
		}
	}
	for _, g := range groups {
		if !g.settled && g.float32 != nil && !falsified[g.property] {
			settle(g, *g.float32)
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

// falsify lets an attack look for counterexamples to the open cases of every group.
func (v *Verifier) falsify(ctx context.Context, f Falsifier, groups []*group, falsified map[int]bool, settle func(*group, Result)) error {
	for _, g := range groups {
		if g.settled || falsified[g.property] {
			continue
		}
		var cases [][]Constraint
		for _, c := range g.cases {
			if !c.proven {
				cases = append(cases, c.c.Constraints)
			}
		}
		points, err := f.Falsify(ctx, *g.inner, cases)
		if err != nil {
			return err
		}
		for _, x := range points {
			if len(x) != len(g.inner.Lower) {
				return fmt.Errorf("%w: the falsifier gave a point of %d numbers for %d inputs", ErrInput, len(x), len(g.inner.Lower))
			}
			r, ok, err := v.tryPoint(ctx, g, x, "found by attack")
			if err == nil && !ok {
				r, ok, err = v.tryReal(ctx, g, x, "found by attack")
			}
			if err != nil {
				return err
			}
			if ok {
				settle(g, r)
				break
			}
		}
	}
	return nil
}

func (g *group) worst() float64 {
	worst := math.Inf(1)
	for _, c := range g.cases {
		worst = min(worst, c.margin)
	}
	return worst
}

func (g *group) reason() string {
	if g.wide != nil {
		return g.wide.Error()
	}
	if g.beyond != "" {
		return g.beyond
	}
	return fmt.Sprintf("%s bounds leave %d of %d cases open (worst margin %.3g)", g.used, g.open(), len(g.cases), g.worst())
}

// try bounds a batch by one domain.
func (v *Verifier) try(ctx context.Context, o Options, m Method, batch []*group, settle func(*group, Result)) error {
	boxes := make([]Box, len(batch))
	for i, g := range batch {
		g.used, g.wide = m, nil
		boxes[i] = g.box
	}
	b, err := v.bound(ctx, o, m, boxes...)
	if err != nil {
		var wide *bound.TooWideError
		if errors.As(err, &wide) {
			batch[0].wide = wide
			return nil
		}
		return err
	}
	defer b.Close()
	if err := v.prove(b, batch); err != nil {
		return err
	}
	for i, g := range batch {
		if g.open() == 0 {
			reason := fmt.Sprintf("proven by %s", m)
			if g.float32 != nil {
				reason += " over the real numbers; a float32 execution meets a case by its rounding"
			}
			settle(g, Result{Verdict: Verified, Margin: g.worst(), Method: m, Reason: reason})
			continue
		}
		g.beyond = b.Beyond(i)
		if m == Interval {
			continue
		}
		r, ok, err := v.tryCorners(ctx, b, int32(i), g, m)
		if err != nil {
			return err
		}
		if ok {
			settle(g, r)
		}
	}
	return nil
}

func (g *group) open() int {
	n := 0
	for _, c := range g.cases {
		if !c.proven {
			n++
		}
	}
	return n
}

// prove bounds the rows of all open cases of a batch.
func (v *Verifier) prove(b *bound.Bounds, batch []*group) error {
	var rows [][]float64
	var owner []int32
	for i, g := range batch {
		for _, c := range g.cases {
			if !c.proven {
				rows = append(rows, c.rows...)
				owner = append(owner, slices.Repeat([]int32{int32(i)}, len(c.rows))...)
			}
		}
	}
	low, err := b.Lower(rows, owner, nil)
	if err != nil {
		return err
	}
	at := 0
	for i, g := range batch {
		for _, c := range g.cases {
			if c.proven {
				continue
			}
			for k := range c.rows {
				x := low[at]
				at++
				if len(c.loss[k]) > 0 {
					x = op.Down(x - coefError(b.Outputs(i), c.loss[k]))
				}
				margin := x - c.bound[k]
				if margin > c.margin || math.IsInf(c.margin, -1) {
					c.margin, c.best = margin, k
				}
				if x > c.bound[k] || c.c.Constraints[k].Strict && x >= c.bound[k] {
					c.proven = true
				}
			}
		}
	}
	return nil
}

// maxCorners limits how many open cases are tried for a counterexample at their bound's corner.
const maxCorners = 16

func (v *Verifier) tryCorners(ctx context.Context, b *bound.Bounds, box int32, g *group, m Method) (Result, bool, error) {
	var rows [][]float64
	for _, c := range g.cases {
		if !c.proven && len(c.rows) > 0 && len(rows) < maxCorners {
			rows = append(rows, c.rows[c.best])
		}
	}
	if len(rows) == 0 {
		return Result{}, false, nil
	}
	corners := make([][]float64, len(rows))
	if _, err := b.Lower(rows, slices.Repeat([]int32{box}, len(rows)), corners); err != nil {
		return Result{}, false, err
	}
	for _, x := range corners {
		if r, ok, err := v.tryPoint(ctx, g, x, fmt.Sprintf("the corner where the %s bound is least", m)); ok || err != nil {
			return r, ok, err
		}
	}
	return Result{}, false, nil
}

func (g *group) centre() []float64 {
	x := make([]float64, len(g.inner.Lower))
	for i, l := range g.inner.Lower {
		x[i] = 0.5*l + 0.5*g.inner.Upper[i]
	}
	return x
}

// tryPoint rounds a point into the inner box in float32, runs the network, and checks the cases exactly. Where the box holds no
// float32 in some coordinate there is nothing to try.
func (v *Verifier) tryPoint(ctx context.Context, g *group, x []float64, what string) (Result, bool, error) {
	in := make([]float32, len(x))
	for i, f := range x {
		lo, up := g.inner.Lower[i], g.inner.Upper[i]
		c := float32(f)
		if float64(c) < lo {
			c = math.Nextafter32(c, float32(math.Inf(1)))
		}
		if float64(c) > up {
			c = math.Nextafter32(c, float32(math.Inf(-1)))
		}
		if float64(c) < lo || float64(c) > up {
			return Result{}, false, nil
		}
		in[i] = c
	}
	y, err := v.Predict(ctx, in)
	if err != nil {
		return Result{}, false, err
	}
	point := Box{Lower: make([]float64, len(in)), Upper: make([]float64, len(in))}
	for i, f := range in {
		point.Lower[i], point.Upper[i] = float64(f), float64(f)
	}
	if v.o.Semantics == Real && !finite(y) {
		return v.tryUnrun(ctx, g, in, point, what)
	}
	for _, c := range g.cases {
		if !c.c.met(y) {
			continue
		}
		res := Result{Verdict: Falsified, FalsifiedIn: Float32, Margin: math.NaN(), Method: v.o.Method,
			Reason:         "counterexample: " + what,
			Counterexample: &Counterexample{Inputs: in, Outputs: y}}
		if v.o.Semantics == Float32 {
			return res, true, nil
		}
		real, err := v.allMet(ctx, point, c.c)
		if err != nil {
			return Result{}, false, err
		}
		if real {
			res.FalsifiedIn = Real
			return res, true, nil
		}
		if g.float32 == nil {
			res.Reason += "; it is one of float32 executions, and nothing is proven of the real network there"
			g.float32 = &res
		}
	}
	return Result{}, false, nil
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

// Falsify only searches for a counterexample: it never proves. The verdict is Falsified or Unknown.
func (v *Verifier) Falsify(ctx context.Context, p Property, f Falsifier) (Result, error) {
	start := time.Now()
	gs, err := v.groups(p, v.o.Semantics)
	if err != nil {
		return Result{}, err
	}
	res := Result{Verdict: Unknown, Margin: math.NaN(), Reason: "no counterexample was found"}
	falsified := map[int]bool{}
	settle := func(g *group, r Result) {
		falsified[g.property] = true
		res = r
	}
	err = v.falsify(ctx, f, gs, falsified, settle)
	if isDeadline(err) {
		res.Timeout, err = true, nil
	}
	for _, g := range gs {
		if res.Verdict == Unknown && g.float32 != nil {
			res = *g.float32
		}
	}
	res.Seconds = time.Since(start).Seconds()
	return res, err
}

package trial

import (
	"context"
	"errors"
	"math"
	"sort"
	"time"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/trial/record"
	"github.com/shallow-waters/shoal/verify"
	"github.com/shallow-waters/shoal/verify/falsify"
)

// UpperSearch is the attack behind the smallest falsified radius: a short one, since it is asked for several radii of each sample.
var UpperSearch = attack.SearchOptions{Points: 1, Most: 4, Steps: 15, Random: 8}

// mostUpperSteps limits how often the bracket of the smallest falsified radius is halved, whatever tolerance is asked for.
const mostUpperSteps = 20

// UpperSteps is how often a bracket of that width is halved until it is as narrow as the tolerance.
func UpperSteps(width, tol float64) int {
	if !(width > tol) {
		return 1
	}
	return min(mostUpperSteps, int(math.Ceil(math.Log2(width/tol))))
}

// Radius asks up to which radius the decision that a model makes of a sample, right or wrong, is proven, and from which on a search breaks it. Where
// outputs are numbers it is asked up to which radius they stay within the subject's tolerance.
type Radius struct {
	Proofs
	Max, Tol float64
	// Only the radius that a search breaks is looked for, and no proof.
	OnlyUpper bool
	Search    *falsify.Attack // nil for none
	// Newton finds the thesis' root beside the bracket.
	Newton bool
}

// RadiusKey is that of its answers.
const RadiusKey = "radius"

// AskOrUnknown is Ask; where memory is missing it answers with a radius of 0 and the reason, which is not recorded: with more memory there is
// another.
func (q *Radius) AskOrUnknown(ctx context.Context, i int) (report.Row, error) {
	row, err := q.Ask(ctx, i)
	if empty, lacks := q.lacked(i, err); lacks {
		empty.Bracket = &report.Bracket{Upper: report.None()}
		return empty, nil
	}
	return row, err
}

// Ask answers for sample i. Where the time runs out the answer is what is known by then.
func (q *Radius) Ask(ctx context.Context, i int) (report.Row, error) {
	var row report.Row
	if q.Records.Find(RadiusKey, q.Samples.Index[i], &row) && row.Bracket != nil && q.held(&row) {
		return row, nil
	}
	if q.Lacks != nil {
		return row, q.Lacks
	}
	start := time.Now()
	o, err := q.open(ctx, i)
	if err != nil {
		return row, err
	}
	x, y, row, err := q.clean(ctx, o, i)
	if err != nil {
		return row, err
	}
	own, cancel := q.within(ctx)
	defer cancel()
	property := func(eps float64) verify.Property {
		return o.property(q.Subject.Holds(q.Samples.Ball(x, eps), row.Predicted, y))
	}
	search := q.Search
	if q.Reopen != nil {
		search = o.search
	}
	asked := false
	var fault error // of the search, which ends no proof
	broken := func(ctx context.Context, proven, upper float64) (float64, error) {
		asked = true
		if search == nil || !(proven < q.Max) {
			return upper, nil
		}
		found, err := falsify.UpperRadius(ctx, o.verifier, search, falsify.Radii{Property: property, Centre: o.whole(q.Samples.Input(x)),
			Scale:  o.scale(q.Samples.Scale()),
			Proven: proven, Known: upper, Most: q.Max, Tol: q.Tol, Steps: UpperSteps(min(upper, q.Max)-proven, q.Tol)})
		if err != nil && ctx.Err() == nil && !q.OnlyUpper {
			fault, err = err, nil
		}
		return found, err
	}
	proven, upper := 0.0, math.Inf(1)
	if row.Outputs != nil {
		row.Reason = noNumbers(y)
	}
	switch {
	case row.Reason != "":
	case !q.OnlyUpper:
		proven, upper, err = o.verifier.Radius(own, property, verify.RadiusOptions{Max: q.Max, Tol: q.Tol, Break: broken})
	}
	if err == nil && row.Reason == "" && !asked {
		upper, err = broken(own, proven, upper)
	}
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return row, err
	}
	row.Bracket = &report.Bracket{Radius: proven, Upper: report.Number(upper), Timeout: err != nil}
	if q.Newton && row.Reason == "" && ctx.Err() == nil {
		if row.Bracket.Newton, err = q.newton(ctx, o.verifier, property); err != nil {
			return row, err
		}
	}
	if fault != nil {
		row.Reason = "the search for counterexamples failed: " + fault.Error()
	}
	if q.Certificates != nil && proven > 0 { // the radius that stands in the answer, and no other
		row.Evidence = q.Certificates.Write(own, o.verifier, property(proven), verify.Result{Verdict: verify.Verified}, row.Index, proven)
	}
	row.Seconds = time.Since(start).Seconds()
	if ctx.Err() != nil { // what was cut off is no answer
		return row, ctx.Err()
	}
	return row, q.Records.Add(record.Answer{Key: RadiusKey, Index: row.Index, Result: row})
}

// Sum is the summary of rows.
func (q *Radius) Sum(rows []report.Row) *report.RadiusSum {
	curve, right := []float64{}, []float64{}
	s := &report.RadiusSum{Tol: q.Tol, Outputs: report.SumOutputs(rows)}
	for _, r := range rows {
		curve = append(curve, r.Radius)
		switch {
		case r.Lacks():
			s.Lacking, s.Lacks = s.Lacking+1, r.Reason
		case r.Outputs == nil && r.Label == r.Predicted:
			right = append(right, r.Radius)
		}
	}
	sort.Float64s(curve)
	sort.Float64s(right)
	s.Spread, s.Correct, s.Curve = spreadOf(curve), spreadOf(right), curve
	return s
}

// spreadOf are the figures of sorted radii.
func spreadOf(sorted []float64) report.Spread {
	n := len(sorted)
	s := report.Spread{Samples: n, Mean: report.None(), Median: report.None(), Max: report.None()}
	if n == 0 {
		return s
	}
	s.Mean = 0
	for _, x := range sorted {
		s.Mean += report.Number(x / float64(n))
	}
	s.Median = report.Number(0.5 * (sorted[(n-1)/2] + sorted[n/2]))
	s.Max = report.Number(sorted[n-1])
	return s
}

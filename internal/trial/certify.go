package trial

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/trial/record"
	"github.com/shallow-waters/shoal/verify"
	"github.com/shallow-waters/shoal/verify/falsify"
)

// OpenVerifier opens a subject for proofs. A last Softmax is left out where the decision is the same without it.
func OpenVerifier(ctx context.Context, s *Subject, o verify.Options) (*verify.Verifier, error) {
	o.DropSoftmax = s.Decision.Kind == Argmax
	v, err := verify.Open(ctx, s.Model, o)
	if err != nil {
		return nil, err
	}
	err = s.Fits(v.Info().Outputs)
	if err == nil && s.Tolerance != nil {
		err = roomFor(ctx, int64(v.Info().Outputs))
	}
	if err != nil {
		v.Close()
		return nil, err
	}
	return v, nil
}

// Proofs are what is needed to ask for proofs about samples: Certify and Radius share it.
type Proofs struct {
	Subject  *Subject
	Verifier *verify.Verifier
	Samples  *Samples
	// Reopen, where set, opens the subject for sample i: what is held differs from sample to sample.
	Reopen  func(ctx context.Context, i int) (*verify.Verifier, *falsify.Attack, error)
	Timeout time.Duration // for one sample, of Certify at one radius; 0 means none
	// Certificates writes answers down; nil where nobody asked for that.
	Certificates Certificates
	// Began, where set, is when the first question's time began, which loading and preparing the model then take from; it is left half a second, or all
	// of a shorter Timeout.
	Began time.Time
	// Records hold what earlier runs answered, and get what this one does; nil for none.
	Records *record.File
	// Lacks, where set, is the memory that was missing to make the subject ready for proofs: there is no Verifier, and every answer is unknown for
	// that reason.
	Lacks error

	reopened *opened
}

// clean is a sample as the middle of balls, with what the model makes of it unchanged.
func (p *Proofs) clean(ctx context.Context, o *opened, i int) (x []float32, y []float64, row report.Row, err error) {
	row = report.Row{Index: p.Samples.Index[i], Label: p.Samples.Labels[i]}
	if x, err = p.Samples.Center(i); err != nil {
		return nil, nil, row, err
	}
	if y, err = o.verifier.Predict(ctx, o.whole(p.Samples.Input(x))); err != nil {
		return nil, nil, row, err
	}
	row.Predicted = p.Subject.Decision.Class(y)
	switch {
	case p.Subject.Numbers():
		row.Label, row.Outputs = -1, p.Samples.outputs(i, y)
	case row.Predicted < 0:
		row.Reason, row.Undecided = why(p.Subject.Undecided), true
		return x, y, row, p.Subject.Classified()
	}
	return x, y, row, nil
}

// leastAsked is what the first question has in any case, however long a model took to be ready.
const leastAsked = 500 * time.Millisecond

// within is the time of one question.
func (p *Proofs) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if p.Timeout <= 0 {
		return context.WithCancel(ctx)
	}
	left := p.Timeout
	if !p.Began.IsZero() {
		left = max(p.Timeout-time.Since(p.Began), min(p.Timeout, leastAsked))
		p.Began = time.Time{}
	}
	return context.WithTimeout(ctx, left)
}

// Certify asks whether every point of the ball around a sample is decided as its label, at every radius. Where outputs are numbers it bounds each of
// them over the ball, and asks, where there is a tolerance, whether all stay within it.
type Certify struct {
	Proofs
	Eps       []Eps
	Semantics verify.Semantics
}

// Certificates writes answers down so that they can be proven again.
type Certificates interface {
	// Write writes what a verifier said of a sample's property at a radius.
	Write(ctx context.Context, v *verify.Verifier, p verify.Property, r verify.Result, index int, eps float64) *report.Evidence
	// Holds tells whether the certificate of an earlier answer is there.
	Holds(e *report.Evidence) bool
}

// Ask answers for sample i, with a row for each radius, in their order. A sample that is decided otherwise unchanged is falsified at once; a
// counterexample serves for all larger radii.
func (q *Certify) Ask(ctx context.Context, i int) ([]report.Row, error) {
	rows := make([]report.Row, len(q.Eps))
	missing := 0
	for k := range rows {
		if !q.Records.Find(q.key(k), q.Samples.Index[i], &rows[k]) || !q.answered(&rows[k]) {
			rows[k] = report.Row{}
			missing++
		}
	}
	if missing > 0 {
		err := q.Lacks
		if err == nil {
			err = q.ask(ctx, i, rows)
		}
		if err = q.lacking(i, rows, err); err != nil {
			return nil, err
		}
	}
	for k := range rows {
		if rows[k].EpsText = q.Eps[k].Text; len(q.Eps) > 1 {
			rows[k].At(q.Eps[k].Value, q.Eps[k].Text)
		}
	}
	return rows, nil
}

// lacking leaves the rows without an answer unknown where the error is memory that making a sample ready for proofs, or running it, did not
// get. They are not recorded: with more memory there is an answer.
func (q *Certify) lacking(i int, rows []report.Row, err error) error {
	empty, lacks := q.lacked(i, err)
	if !lacks {
		return err
	}
	for k := range rows {
		if !q.answered(&rows[k]) {
			rows[k] = empty
			if !q.boundsAlone() {
				rows[k].Proof = &report.Proof{Verdict: string(verify.Unknown), Margin: report.None()}
			}
		}
	}
	return nil
}

// lacked is what there is to say of sample i where the error is memory that was missing: why.
func (p *Proofs) lacked(i int, err error) (row report.Row, lacks bool) {
	if !errors.As(err, new(*budget.Error)) {
		return row, false
	}
	row = report.Row{Index: p.Samples.Index[i], Label: p.Samples.Labels[i], Predicted: -1, Reason: err.Error()}
	if p.Subject.Numbers() {
		row.Label, row.Outputs = -1, &report.Outputs{Values: []report.Number{}}
	}
	return row, true
}

// answered tells whether a row holds an answer.
func (q *Certify) answered(row *report.Row) bool {
	bounded := row.Outputs != nil && row.Outputs.Lower != nil
	return (row.Proof != nil || q.boundsAlone()) && (bounded || !q.Subject.Numbers()) && (row.Proof == nil || q.held(row))
}

// held tells whether what is asked to be written down of an answer is there: its certificate, or why there is none.
func (p *Proofs) held(row *report.Row) bool {
	if p.Certificates == nil || row.Proof != nil && row.Verdict == string(verify.Unknown) || row.Bracket != nil && row.Radius == 0 {
		return true
	}
	return row.Evidence != nil && p.Certificates.Holds(row.Evidence)
}

// boundsAlone tells that outputs are bounded, and nothing is asked that could be verified.
func (q *Certify) boundsAlone() bool { return q.Subject.Numbers() && q.Subject.Tolerance == nil }

func (q *Certify) key(k int) string { return q.Eps[k].Key() }

// ask fills in the rows that are not there.
func (q *Certify) ask(ctx context.Context, i int, rows []report.Row) error {
	start := time.Now()
	o, err := q.open(ctx, i)
	if err != nil {
		return err
	}
	x, y, clean, err := q.clean(ctx, o, i)
	if err != nil {
		return err
	}
	least := -1                       // the smallest radius with a counterexample
	var broken *verify.Counterexample // which it is, where this call has found it
	for _, k := range ascending(q.Eps) {
		row := &rows[k]
		if q.answered(row) {
			if least < 0 && q.refutes(row) {
				least = k
			}
			continue
		}
		*row = clean
		ball := q.Samples.Ball(x, q.Eps[k].Value)
		own, cancel := q.within(ctx)
		if !q.boundsAlone() {
			broken, err = q.decide(own, o, ball, y, row, asked{eps: q.Eps[k].Value, rows: rows, least: least, broken: broken})
		}
		if err == nil && q.Subject.Numbers() {
			err = q.reach(own, o, ball, row)
		}
		cancel()
		if err != nil {
			return err
		}
		if least < 0 && q.refutes(row) {
			least = k
		}
		row.Seconds = time.Since(start).Seconds()
		start = time.Now()
		if ctx.Err() != nil { // what was cut off is no answer
			return ctx.Err()
		}
		if err := q.Records.Add(record.Answer{Key: q.key(k), Index: row.Index, Result: row}); err != nil {
			return err
		}
	}
	return nil
}

// asked is what decide knows of the other radii, and the one that it is asked about.
type asked struct {
	eps    float64
	rows   []report.Row
	least  int                    // the smallest radius with a counterexample, -1 where none is known
	broken *verify.Counterexample // of that radius; nil where an earlier run has found it
}

// decide answers for one row, and gives the counterexample that the next may take.
func (q *Certify) decide(ctx context.Context, o *opened, ball verify.Ball, y []float64, row *report.Row, a asked) (*verify.Counterexample, error) {
	row.Proof = &report.Proof{Verdict: string(verify.Falsified), Margin: report.None()}
	numbers := q.Subject.Numbers()
	p := o.property(q.Subject.Holds(ball, row.Label, y))
	found := verify.Result{Verdict: verify.Falsified, FalsifiedIn: verify.Real, Counterexample: a.broken}
	switch nothing := noNumbers(y); {
	case numbers && nothing != "":
		row.Verdict, row.Reason = string(verify.Unknown), nothing
		return a.broken, nil
	case !numbers && row.Predicted != row.Label:
		if row.In = string(verify.Float32); !row.Undecided {
			row.Reason = "misclassified without any change"
		}
		found.Counterexample = &verify.Counterexample{Inputs: o.whole(inside(ball, q.Samples.Input(ball.Center)))}
	case a.least >= 0:
		row.In = a.rows[a.least].In
		row.Reason = fmt.Sprintf("the counterexample of eps %s is in this ball too", q.Eps[a.least].Text)
	default:
		r, err := o.verifier.Verify(ctx, p)
		if err != nil {
			return nil, err
		}
		found = r
		row.Verdict, row.In, row.Margin, row.Reason = string(r.Verdict), string(r.FalsifiedIn), report.Number(r.Margin), r.Reason
		for _, g := range r.Rungs {
			row.Rungs = append(row.Rungs, report.Rung(g))
		}
		if !math.IsNaN(r.Margin) {
			row.Method = string(r.Method)
		}
	}
	switch {
	case q.Certificates == nil || found.Verdict == verify.Unknown:
	case found.Verdict == verify.Falsified && found.Counterexample == nil:
		row.Evidence = &report.Evidence{Fault: "its counterexample was found by an earlier run, and is not in the records"}
	default: // whether a case is met over the real numbers is for the certificate's own pass to prove
		row.Evidence = q.Certificates.Write(ctx, o.verifier, p, found, row.Index, a.eps)
	}
	return found.Counterexample, nil
}

// inside is a point brought into a ball: a normalised sample may be rounded out of the pixel range.
func inside(ball verify.Ball, x []float32) []float32 {
	lower, upper := ball.Floats()
	out := slices.Clone(x)
	for k := range out {
		if lower[k] <= upper[k] {
			out[k] = min(max(out[k], lower[k]), upper[k])
		}
	}
	return out
}

func (q *Certify) refutes(row *report.Row) bool {
	return row.Proof != nil && verify.Result{Verdict: verify.Verdict(row.Verdict), FalsifiedIn: verify.Semantics(row.In)}.Refutes(q.Semantics)
}

// Sums are the summaries of rows, as Ask gave them one sample behind the other, at every radius.
func (q *Certify) Sums(rows []report.Row, interrupted bool) []report.ProofSum {
	out := make([]report.ProofSum, len(q.Eps))
	for k, e := range q.Eps {
		s := report.ProofSum{Eps: e.Value, EpsText: e.Text, Interrupted: interrupted}
		for _, r := range every(rows, k, len(q.Eps)) {
			s.Samples++
			s.Seconds += r.Seconds
			if r.Outputs == nil && r.Label == r.Predicted && !r.Lacks() {
				s.Correct++
			}
			if r.Lacks() {
				s.Lacking, s.Lacks = s.Lacking+1, r.Reason
			}
			switch {
			case r.Proof == nil:
			case verify.Verdict(r.Verdict) == verify.Verified:
				s.Verified++
			case verify.Verdict(r.Verdict) == verify.Falsified:
				s.Falsified++
			default:
				s.Unknown++
			}
		}
		s.CleanAccuracy, s.CertifiedAccuracy, s.UpperAccuracy = report.Ratio(s.Correct, s.Samples), report.Ratio(s.Verified, s.Samples),
			report.Ratio(s.Samples-s.Falsified, s.Samples)
		if s.Lacking > 0 {
			s.CleanAccuracy = report.None()
		}
		if q.Subject.Numbers() {
			s.CleanAccuracy = report.None()
			s.Outputs = report.SumOutputs(every(rows, k, len(q.Eps)))
			if s.Lacking > 0 { // nothing holds of all samples
				s.Outputs = &report.OutputSum{}
			}
			if t := q.Subject.Tolerance; t == nil {
				s.CertifiedAccuracy, s.UpperAccuracy = report.None(), report.None()
			} else if s.Outputs != nil {
				s.Outputs.Tolerance = t.Text
			}
		}
		out[k] = s
	}
	return out
}

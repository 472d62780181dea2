package trial

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/trial/record"
	"github.com/shallow-waters/shoal/verify"
)

// OpenVerifier opens a subject for proofs. A last Softmax is left out where the decision is the same without it.
func OpenVerifier(ctx context.Context, s *Subject, o verify.Options) (*verify.Verifier, error) {
	o.DropSoftmax = s.Decision.Kind == Argmax
	v, err := verify.Open(ctx, s.Model, o)
	if err != nil {
		return nil, err
	}
	if err := s.Fits(v.Info().Outputs); err != nil {
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
	Timeout  time.Duration // for one sample, of Certify at one radius; 0 means none
	// Records hold what earlier runs answered, and get what this one does; nil for none.
	Records *record.File
}

// clean is a sample as the middle of balls, with what the model makes of it unchanged.
func (p *Proofs) clean(ctx context.Context, i int) (x []float32, row report.Row, err error) {
	row = report.Row{Index: p.Samples.Index[i], Label: p.Samples.Labels[i]}
	if x, err = p.Samples.Center(i); err != nil {
		return nil, row, err
	}
	y, err := p.Verifier.Predict(ctx, p.Samples.Input(x))
	if err != nil {
		return nil, row, err
	}
	if row.Predicted = p.Subject.Decision.Class(y); row.Predicted < 0 {
		return nil, row, p.Subject.Classified(ctx)
	}
	return x, row, nil
}

// within is the time of one question.
func (p *Proofs) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if p.Timeout > 0 {
		return context.WithTimeout(ctx, p.Timeout)
	}
	return context.WithCancel(ctx)
}

// Certify asks whether every point of the ball around a sample is decided as its label, at every radius.
type Certify struct {
	Proofs
	Eps       []Eps
	Semantics verify.Semantics
}

// Ask answers for sample i, with a row for each radius, in their order. A sample that is decided otherwise unchanged is falsified at once; a counterexample serves
// for all larger radii.
func (q *Certify) Ask(ctx context.Context, i int) ([]report.Row, error) {
	rows := make([]report.Row, len(q.Eps))
	missing := 0
	for k := range rows {
		if !q.Records.Find(q.key(k), q.Samples.Index[i], &rows[k]) || rows[k].Proof == nil {
			rows[k] = report.Row{}
			missing++
		}
	}
	if missing > 0 {
		if err := q.ask(ctx, i, rows); err != nil {
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

func (q *Certify) key(k int) string { return fmt.Sprintf("eps %v", q.Eps[k].Value) }

// ask fills in the rows that are not there.
func (q *Certify) ask(ctx context.Context, i int, rows []report.Row) error {
	start := time.Now()
	x, clean, err := q.clean(ctx, i)
	if err != nil {
		return err
	}
	least := -1 // the smallest radius with a counterexample
	for _, k := range ascending(q.Eps) {
		row := &rows[k]
		if row.Proof != nil {
			if least < 0 && q.refutes(row) {
				least = k
			}
			continue
		}
		*row = clean
		row.Proof = &report.Proof{Verdict: string(verify.Falsified), Margin: report.None()}
		switch {
		case clean.Predicted != clean.Label:
			row.In, row.Reason = string(verify.Float32), "misclassified without any change"
		case least >= 0:
			row.In = rows[least].In
			row.Reason = fmt.Sprintf("the counterexample of eps %s is in this ball too", q.Eps[least].Text)
		default:
			ctx, cancel := q.within(ctx)
			r, err := q.Verifier.Verify(ctx, q.Subject.Robust(q.Samples.Ball(x, q.Eps[k].Value), clean.Label))
			cancel()
			if err != nil {
				return err
			}
			row.Verdict, row.In, row.Margin, row.Reason = string(r.Verdict), string(r.FalsifiedIn), report.Number(r.Margin), r.Reason
			if !math.IsNaN(r.Margin) {
				row.Method = string(r.Method)
			}
			if q.refutes(row) {
				least = k
			}
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

func (q *Certify) refutes(row *report.Row) bool {
	return verify.Result{Verdict: verify.Verdict(row.Verdict), FalsifiedIn: verify.Semantics(row.In)}.Refutes(q.Semantics)
}

// Sums are the summaries of rows, as Ask gave them one sample behind the other, at every radius.
func (q *Certify) Sums(rows []report.Row, interrupted bool) []report.ProofSum {
	out := make([]report.ProofSum, len(q.Eps))
	for k, e := range q.Eps {
		s := report.ProofSum{Eps: e.Value, EpsText: e.Text, Interrupted: interrupted}
		for _, r := range every(rows, k, len(q.Eps)) {
			s.Samples++
			if r.Label == r.Predicted {
				s.Correct++
			}
			switch verify.Verdict(r.Verdict) {
			case verify.Verified:
				s.Verified++
			case verify.Falsified:
				s.Falsified++
			default:
				s.Unknown++
			}
			s.Seconds += r.Seconds
		}
		s.CleanAccuracy, s.CertifiedAccuracy, s.UpperAccuracy = report.Ratio(s.Correct, s.Samples), report.Ratio(s.Verified, s.Samples), report.Ratio(s.Samples-s.Falsified, s.Samples)
		out[k] = s
	}
	return out
}

package gate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/internal/numeral"
	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/internal/trial/record"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/verify"
	"github.com/shallow-waters/shoal/verify/falsify"
)

// together is how many samples go through a model side by side, if shards that are to be equal have as many. What a model gives for a sample may
// change in its last bits with the company, so that a sample's company is always the same.
const together = 32

// grain is how many of n samples a requirement is asked of together: what makes shards equal, and, where there is none, what the records that are
// gone on with were made with.
func (l *lab) grain(r *Requirement, n int) int {
	if r.Clean == nil && r.Robust == nil {
		return 1
	}
	if kept := record.Grain(l.o.Records, r.Name); l.o.Shard.N == 0 && kept > 0 {
		return min(kept, together)
	}
	return l.o.Shard.Grain(n, together)
}

// asked is what questions about samples share.
type asked struct {
	of      *Model
	data    *opened
	subject *trial.Subject
	samples *trial.Samples
	r       *Requirement
}

func (q *asked) units() int { return q.samples.Len() }

// about opens a model and data for questions about samples; shape gives the shape of the model's input once the subject is known.
func (l *lab) about(ctx context.Context, r *Requirement, model string, v trial.View, shape func(*trial.Subject) ([]int, error)) (*asked, error) {
	of, file, err := l.model(model)
	if err != nil {
		return nil, err
	}
	q := &asked{of: of, r: r}
	if q.data, err = l.data(ctx, r, of, file, v != trial.Fed); err != nil {
		return nil, err
	}
	if q.subject, err = l.subject(ctx, of, q.data, v); err != nil {
		return nil, err
	}
	input, err := shape(q.subject)
	if err != nil {
		return nil, err
	}
	if q.samples, err = l.samples(of, q.data, input); err != nil {
		return nil, err
	}
	if v == trial.Fed && q.subject.Shape == nil {
		return q, nil // it is settled by the first samples
	}
	return q, q.settled()
}

func (q *asked) settled() error {
	if err := q.subject.Classified(); err != nil {
		return err
	}
	if err := q.subject.CheckNames(); err != nil {
		return err
	}
	return trial.CheckLabels(&q.samples.Source, q.subject.Classes())
}

// of makes an answer about a sample out of a row.
func (q *asked) answer(row report.Row) answer {
	a := blank(row.Index)
	a.Label, a.Predicted, a.Class, a.Words, a.Method, a.Undecided = row.Label, row.Predicted, row.Predicted, row.Reason, row.Method, row.Undecided
	a.Group = q.data.group(q.r, row.Label, row.Index)
	return a
}

// picture draws a sample, beside what an attack made of it where that is given; nil where it is no picture, or none that is small.
func (q *asked) picture(i int, changed []float32) []byte {
	const most = 48 << 10
	s := q.samples
	if !s.Images() {
		return nil
	}
	x, err := s.At(i)
	if err != nil {
		return nil
	}
	t := report.Triptych{Height: s.Height, Width: s.Width, Channels: s.Channels, Last: s.Last, Original: x, Changed: x}
	if changed != nil {
		t.Changed = s.Back(changed)
	}
	png, err := t.PNG(changed == nil)
	if err != nil || len(png) > most {
		return nil
	}
	return png
}

// clean asks what the model says.
type clean struct {
	*asked
	session engine.Session
	fixed   int
	side    int // samples that go side by side
}

func (l *lab) openClean(ctx context.Context, r *Requirement, model string) (question, error) {
	q := &clean{}
	var err error
	q.asked, err = l.about(ctx, r, model, trial.Fed, func(s *trial.Subject) ([]int, error) {
		o := l.o.Engine
		o.Threads = l.o.Threads
		if q.session, err = engine.Open(ctx, s.Model, o); err != nil {
			return nil, err
		}
		in := q.session.Inputs()
		if _, err := s.Inputs.AskedPort(in); err != nil {
			return nil, err
		}
		shape := append([]int{}, in[0].Shape...)
		if q.fixed = 1; len(shape) > 0 {
			q.fixed, shape[0] = max(1, shape[0]), 1
		}
		for k, d := range shape {
			if d < 0 {
				return nil, fmt.Errorf("dimension %d of input %q is free: shoal convert --dim binds it", k, in[0].Name)
			}
		}
		return shape, nil
	})
	if err != nil {
		q.close()
		return nil, err
	}
	q.side = l.grain(r, q.units())
	return q, nil
}

func (q *clean) close() {
	if q.session != nil {
		q.session.Close()
	}
}

func (q *clean) grain() int { return q.side }

func (q *clean) ask(ctx context.Context, from, to int) ([]answer, error) {
	start := time.Now()
	in := q.subject.Inputs
	x, padded, err := in.Feed(q.samples, q.session.Inputs(), q.fixed).Next(from, to-from)
	if err != nil {
		return nil, err
	}
	b := &trial.Batches{Session: q.session, Fixed: q.fixed, Axis: q.subject.ScoresAxis}
	rows, err := b.Run(ctx, x, to-from, padded)
	if err != nil {
		return nil, err
	}
	if q.subject.Shape == nil {
		if err := q.subject.Settle(len(rows[0][0])); err != nil {
			return nil, err
		}
	}
	if err := q.settled(); err != nil {
		return nil, err
	}
	out := make([]answer, to-from)
	for i := range out {
		row := report.Row{Index: q.samples.Index[from+i], Label: q.samples.Labels[from+i], Predicted: q.subject.Decision.Class(rows[0][i])}
		if row.Predicted < 0 {
			row.Undecided, row.Reason = true, q.subject.Undecided()
		}
		out[i] = q.answer(row)
		if out[i].Holds = row.Predicted == row.Label; !out[i].Holds {
			out[i].Picture = q.picture(from+i, nil)
		}
		out[i].Seconds = time.Since(start).Seconds()
	}
	return out, nil
}

// robust asks which samples an attack breaks.
type robust struct {
	*asked
	target *attack.Target
	attack *trial.Attack
}

func (l *lab) openRobust(ctx context.Context, r *Requirement, model string) (question, error) {
	q := &robust{}
	method, err := r.Robust.method()
	if err != nil {
		return nil, err
	}
	q.asked, err = l.about(ctx, r, model, trial.Searched, func(s *trial.Subject) ([]int, error) {
		if err := s.Classified(); err != nil {
			return nil, err
		}
		o := l.o.Engine
		o.Threads = l.o.Threads
		if q.target, err = trial.OpenTarget(ctx, s, attack.Options{Engine: o}); err != nil {
			return nil, err
		}
		return q.target.InputShape(), nil
	})
	if err != nil {
		q.close()
		return nil, err
	}
	q.attack = &trial.Attack{Target: q.target, Samples: q.samples, Method: method, Norm: r.Robust.norm(), Seed: r.Robust.Seed,
		Batch: l.grain(r, q.units()), Undecided: q.subject.Undecided,
		Eps: []trial.Eps{{Value: r.Robust.Eps.Value, Text: r.Robust.Eps.Text}}}
	return q, nil
}

func (q *robust) close() {
	if q.target != nil {
		q.target.Close()
	}
}

func (q *robust) grain() int { return q.attack.Batch }

func (q *robust) ask(ctx context.Context, from, to int) (out []answer, err error) {
	start := time.Now()
	cut, err := q.attack.Run(ctx, from, to, func(rows []report.Row) error {
		row := rows[0]
		a := q.answer(row)
		a.Holds = row.Label == row.Predicted && !row.Adversarial
		a.Class, a.Value = row.Class, row.Norm
		if row.Adversarial && row.Label == row.Predicted {
			a.Picture = q.picture(from+len(out), row.Input)
		}
		a.Seconds = time.Since(start).Seconds()
		out = append(out, a)
		return nil
	})
	if cut {
		return nil, ctx.Err()
	}
	return out, err
}

// proofs asks for proofs, sample by sample: whether a ball is proven, or up to which radius.
type proofs struct {
	*asked
	verifier *verify.Verifier
	search   *falsify.Attack
	certify  *trial.Certify
	radius   *trial.Radius
}

func (l *lab) openProofs(ctx context.Context, r *Requirement, model string) (question, error) {
	q := &proofs{}
	o := verify.Options{Method: verify.Auto, Threads: l.o.Threads}
	timeout := time.Duration(0)
	if c := r.Certified; c != nil {
		o.Method, o.Semantics, timeout = methodOf(c.Method), verify.Semantics(c.Semantics), c.Timeout.Duration
	} else {
		o.Method, timeout = methodOf(r.Radius.Method), r.Radius.Timeout.Duration
	}
	if o.Semantics == "" {
		o.Semantics = verify.Real
	}
	var err error
	q.asked, err = l.about(ctx, r, model, trial.Proven, func(s *trial.Subject) ([]int, error) {
		if err := s.Classified(); err != nil {
			return nil, err
		}
		if r.Certified != nil { // a model that attacks do not take goes without
			if q.search, err = falsify.Open(ctx, s.Model, falsify.Options{Threads: l.o.Threads}); err != nil {
				q.search = nil
			} else {
				o.Falsifier = q.search
			}
		}
		if q.verifier, err = trial.OpenVerifier(ctx, s, o); err != nil {
			return nil, err
		}
		return q.verifier.Info().InputShape, nil
	})
	if err != nil {
		q.close()
		return nil, err
	}
	p := trial.Proofs{Subject: q.subject, Verifier: q.verifier, Samples: q.samples, Timeout: timeout}
	if c := r.Certified; c != nil {
		q.certify = &trial.Certify{Proofs: p, Eps: []trial.Eps{{Value: c.Eps.Value, Text: c.Eps.Text}}, Semantics: o.Semantics}
		return q, nil
	}
	// What counts is whether a radius is at least the limit: it is not looked for beyond.
	most, err := numeral.Up(r.AtLeast.Text)
	if err != nil {
		q.close()
		return nil, err
	}
	q.radius = &trial.Radius{Proofs: p, Max: most, Tol: most / radiusSteps}
	return q, nil
}

// radiusSteps is how finely a radius below the limit is told.
const radiusSteps = 64

func methodOf(text string) verify.Method {
	if text == "" {
		return verify.Auto
	}
	return verify.Method(text)
}

func (q *proofs) close() {
	if q.certify != nil {
		q.certify.Close()
	}
	if q.radius != nil {
		q.radius.Close()
	}
	if q.verifier != nil {
		q.verifier.Close()
	}
	if q.search != nil {
		q.search.Close()
	}
}

func (q *proofs) grain() int { return 1 }

func (q *proofs) ask(ctx context.Context, from, to int) (out []answer, err error) {
	for i := from; i < to; i++ {
		start := time.Now()
		var row report.Row
		if q.radius != nil {
			row, err = q.radius.Ask(ctx, i)
		} else {
			var rows []report.Row
			if rows, err = q.certify.Ask(ctx, i); err == nil {
				row = rows[0]
			}
		}
		if err != nil {
			return nil, err
		}
		a := q.answer(row)
		right := row.Predicted == row.Label
		switch {
		case q.radius == nil:
			a.Holds = right && verify.Verdict(row.Verdict) == verify.Verified
			a.Value = row.Margin
			if a.Words = row.Verdict; row.Reason != "" {
				a.Words += ": " + row.Reason
			}
		case row.Bracket == nil:
			return nil, errors.New("a radius without an answer")
		default:
			a.Value, a.Upper = 0, row.Upper
			if right {
				a.Value = report.Number(row.Radius)
			}
			a.Holds = right && row.Radius >= q.radius.Max
		}
		if !a.Holds {
			a.Picture = q.picture(i, nil)
		}
		a.Seconds = time.Since(start).Seconds()
		out = append(out, a)
	}
	return out, nil
}

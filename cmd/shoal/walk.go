package main

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/verify"
	"github.com/shallow-waters/shoal/verify/falsify"
)

// openProofs opens what certify and radius work on: the subject's model, ready for bounds, and samples in its layout. f is the search that proofs
// begin with; of are the settings of one for single samples, where these need a model of their own. Where memory is missing to make the
// model ready, there is no verifier and no error, but Lacks.
func openProofs(c *cli.Context, sub *trial.Subject, set *dataset.Set, f *falsify.Attack, of attack.SearchOptions,
	w *proofWatch) (trial.Proofs, *samples, error) {
	ready, done := beforeDeadline(c)
	defer done()
	p := trial.Proofs{Subject: sub, Timeout: c.Duration("timeout"), Began: began(c)}
	o := withFalsifier(c, f)
	o.Watch = w.tell
	var shape []int
	var err error
	switch p.Verifier, err = trial.OpenVerifier(ready, sub, o); {
	case err == nil:
		shape = p.Verifier.Info().InputShape
	case errors.As(err, new(*budget.Error)) && (sub.Classes() > 0 || sub.Numbers()) && sub.InputShape() != nil:
		p.Lacks, shape = err, sub.InputShape()
	default:
		return p, nil, notReady(c, err)
	}
	s, err := joined(c, set, shape)
	if err == nil {
		err = checkLabels(c, s, sub)
	}
	if err != nil {
		if p.Verifier == nil {
			return p, nil, p.Lacks // which came first
		}
		p.Verifier.Close()
		return p, nil, err
	}
	p.Samples = s.Samples
	if sub.Inputs.Varies(trial.Proven) {
		p.Reopen = func(ctx context.Context, i int) (*verify.Verifier, *falsify.Attack, error) {
			return reopened(ctx, c, sub, f, of, i)
		}
	}
	saySubject(c, sub)
	sayHeld(c, sub.Inputs)
	sayRange(c, s)
	return p, s, nil
}

// restOn is what is known of the network that proofs are about, and what closes them. Of a shard only answers are kept, and what is unknown for want
// of memory is none: that is an error.
func restOn(p *trial.Proofs, shard trial.Shard) (info verify.Info, done func(), err error) {
	switch {
	case p.Lacks == nil:
		return p.Verifier.Info(), func() {
			p.Close()
			p.Verifier.Close()
		}, nil
	case shard.N > 0:
		return info, nil, p.Lacks
	}
	return verify.Info{Departures: []verify.Departure{}}, p.Close, nil
}

// eachSample puts the same question to every sample of a shard and shows every answer; progress goes to stderr, and that of a sample's proof is told
// by w. See trial.Each.
func eachSample[A any](c *cli.Context, s *trial.Samples, part trial.Shard, doing string, w *proofWatch,
	ask func(ctx context.Context, i int) (A, error), show func(A) error) (interrupted bool, err error) {
	from, to := part.Of(s.Len())
	bar := newProgress(c.App.ErrWriter, to-from, doing)
	defer bar.finish()
	var at, since atomic.Int64
	defer bar.watch(func() foreign.Text {
		return foreign.Sprintf("sample %d for %s%s", at.Load(), (time.Duration(time.Now().UnixNano()-since.Load()) * time.Nanosecond).Round(time.Second),
			w.words())
	})()
	begin := func(index int) {
		at.Store(int64(index))
		w.begin(index)
		since.Store(time.Now().UnixNano())
	}
	return trial.Each(c.Context, s, part, begin, ask, func(answer A) error {
		err := show(answer)
		if err == nil {
			bar.add()
		}
		return err
	})
}

// errCutShort is the end of a run that printed what it had.
func errCutShort() error {
	return &codeError{code: exitInterrupted, err: errors.New("interrupted; the results so far are printed")}
}

// printer writes samples and their summary in the form that --json asks for: a table, one document, or a document a line.
type printer struct {
	mode  string
	out   io.Writer
	table *tabwriter.Writer
}

func newPrinter(c *cli.Context, header foreign.Constant) *printer {
	p := &printer{mode: jsonMode(c), out: c.App.Writer, table: tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', tabwriter.AlignRight)}
	if p.mode == "" {
		foreign.Fprintln(p.table, header)
	}
	return p
}

// columns head the rows of a question.
func columns(q report.Question, sub *trial.Subject, several bool) foreign.Constant {
	if sub.Numbers() {
		return q.ValueColumns(several, sub.Tolerance != nil)
	}
	return q.Columns(several)
}

// sample prints one as it comes; a document is printed whole at the end.
func (p *printer) sample(doc any, format foreign.Constant, cells ...any) error {
	switch p.mode {
	case "lines":
		return jsonLine(p.out, map[string]any{"type": "sample", "sample": doc})
	case "":
		_, err := foreign.Fprintf(p.table, string(format)+"\n", cells...)
		return err
	}
	return nil
}

// rows prints a sample's rows as they come, and keeps them in the result.
func (p *printer) rows(r *report.Result) func([]report.Row) error {
	return func(rows []report.Row) error {
		r.Rows = append(r.Rows, rows...)
		for _, row := range rows {
			if err := p.sample(row, "%s", r.Question.Line(row)); err != nil {
				return err
			}
		}
		return nil
	}
}

// rowsOf is rows, or prints nothing of a shard: its answers are kept by --records.
func (p *printer) rowsOf(s trial.Shard, r *report.Result) func([]report.Row) error {
	if s.N > 0 {
		return func([]report.Row) error { return nil }
	}
	return p.rows(r)
}

// end prints the rest of a result: its summary, and for machines that want one document all of it.
func (p *printer) end(r *report.Result) error { return p.finish(r.Summary(), r.Whole(), r.Words()) }

// finish prints the summary: its fields for machines, beside what only a whole document has, and its words for people.
func (p *printer) finish(summary, whole map[string]any, words foreign.Text) error {
	switch p.mode {
	case "lines":
		summary["type"] = "summary"
		return jsonLine(p.out, summary)
	case "":
		if err := p.table.Flush(); err != nil {
			return err
		}
		_, err := foreign.Fprintf(p.out, "\n%s", words)
		return err
	}
	for k, v := range whole {
		summary[k] = v
	}
	return printJSON(p.out, summary)
}

package main

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/verify"
	"github.com/shallow-waters/shoal/verify/falsify"
)

// openSubject opens what certify and radius work on: the subject's model, ready for bounds, and samples in its layout.
func openSubject(c *cli.Context, sub *trial.Subject, f *falsify.Attack) (*verify.Verifier, *samples, error) {
	ready, done := beforeDeadline(c)
	defer done()
	o := withFalsifier(c, f)
	o.DropSoftmax = sub.Decision.Kind == trial.Argmax
	v, err := verify.Open(ready, sub.Model, o)
	if err != nil {
		return nil, nil, notReady(c, err)
	}
	s, err := openSamples(c, v.Info().InputShape)
	if err == nil {
		err = sub.Fits(v.Info().Outputs)
	}
	if err == nil {
		err = checkLabels(s.set, sub.Classes())
	}
	if err != nil {
		v.Close()
		return nil, nil, err
	}
	saySubject(c, sub)
	sayRange(c, s)
	return v, s, nil
}

// eachSample puts the same question to every sample, in order, and shows every answer. Progress goes to stderr. Ctrl-C ends it behind the
// last sample that was answered, and interrupted is then true.
func eachSample[A any](c *cli.Context, s *samples, doing string, ask func(i int) (A, error), show func(A) error) (interrupted bool, err error) {
	bar := newProgress(c.App.ErrWriter, s.set.Len(), doing)
	defer bar.finish()
	var at, since atomic.Int64
	defer bar.watch(func() foreign.Text {
		return foreign.Sprintf("sample %d for %s", at.Load(), (time.Duration(time.Now().UnixNano()-since.Load()) * time.Nanosecond).Round(time.Second))
	})()
	for i := range s.set.Len() {
		at.Store(int64(s.set.Index[i]))
		since.Store(time.Now().UnixNano())
		answer, err := ask(i)
		if c.Context.Err() != nil {
			return true, nil
		}
		if err != nil {
			return false, fmt.Errorf("sample %d: %w", s.set.Index[i], err)
		}
		if err := show(answer); err != nil {
			return false, err
		}
		bar.add()
	}
	return false, nil
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

// end prints the summary: its fields for machines, beside what only a whole document has, and its words for people.
func (p *printer) end(summary, whole map[string]any, words foreign.Text) error {
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

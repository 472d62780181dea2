package main

import (
	"context"
	"errors"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify"
	"github.com/shallow-waters/shoal/verify/falsify"
)

// falsifyFlag is --falsify: how much is searched for counterexamples before proofs.
func falsifyFlag() cli.Flag {
	return formFlag("falsify", "search counterexamples before proofs: quick, off, or for a duration such as 5s for each property", "quick", func(text string) error {
		_, err := searchTime(text)
		return err
	})
}

// searchTime reads --falsify; 0 for its words.
func searchTime(text string) (time.Duration, error) {
	if text == "quick" || text == "off" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, errors.New("want quick, off or a duration such as 5s")
	}
	return d, nil
}

// openFalsifier is falsifierOf a subject: there is nothing to search for where nothing can be verified, and a softmax is a part of a model whose
// outputs are numbers.
func openFalsifier(c *cli.Context, sub *trial.Subject, o attack.SearchOptions) (*falsify.Attack, error) {
	if sub.Numbers() && sub.Tolerance == nil {
		return nil, nil
	}
	return falsifierOf(c, sub.Model, o, sub.Numbers())
}

// falsifierOf reads --falsify; o is what quick means. The result is nil, and no error, where nothing is to be searched; a model that attacks do not
// take is no error either: its proofs go on without.
func falsifierOf(c *cli.Context, m *onnxio.Model, o attack.SearchOptions, keepSoftmax bool) (*falsify.Attack, error) {
	if c.String("falsify") == "off" {
		return nil, nil
	}
	if d, err := searchTime(c.String("falsify")); err != nil {
		return nil, err
	} else if d > 0 {
		o.Duration = d
	}
	ready, done := beforeDeadline(c)
	defer done()
	if end, ok := ready.Deadline(); ok { // proofs go on without a search, and not the other way round: they are left half of the time
		var half context.CancelFunc
		ready, half = context.WithTimeout(ready, time.Until(end)/2)
		defer half()
	}
	f, err := falsify.Open(ready, m, falsify.Options{Search: o, Threads: c.Int("threads"), Reading: readingOf(c), KeepSoftmax: keepSoftmax})
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) && c.Context.Err() == nil {
			err = errors.New("it was not ready in half of the time of --timeout")
		}
		foreign.Fprintf(c.App.ErrWriter, "no search for counterexamples: %v\n", err)
		return nil, nil
	}
	return f, nil
}

// withFalsifier are the flags' options for bounds, with a search for counterexamples where there is one.
func withFalsifier(c *cli.Context, f *falsify.Attack) verify.Options {
	o := boundOptions(c)
	if f != nil {
		o.Falsifier = f
	}
	if c.Command.Name == "certify" && c.String("certificate") != "" { // nobody else writes kept trees
		o.Record = scratch
	}
	return o
}

func closeFalsifier(f *falsify.Attack) {
	if f != nil {
		f.Close()
	}
}

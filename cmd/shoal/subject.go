package main

import (
	"errors"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
)

// subjectFlags say what a model's numbers mean, where its file leaves that open.
func subjectFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "output", Usage: "`NAME` of the output that holds the scores", DefaultText: "the only one that can"},
		decisionFlag("decision", "what scores say: argmax, threshold:`T` (one score, class 1 above T) or regress (no classes)"),
	}
}

func decisionFlag(name, usage string, aliases ...string) cli.Flag {
	f := formFlag(name, usage, "", func(text string) error {
		_, err := trial.ParseDecision(text)
		return err
	})
	f.Aliases = aliases
	return own(f, "argmax of several scores, threshold:0.5 of one behind a Sigmoid")
}

// subjectOf works out what is asked of a model.
func subjectOf(c *cli.Context, m *onnxio.Model) (*trial.Subject, error) {
	return subjectBy(c, m, c.String("output"), c.String("decision"))
}

// subjectBy is subjectOf for the output of that name, "" for the one that can be meant, and the decision that is written so.
func subjectBy(c *cli.Context, m *onnxio.Model, output, decision string) (*trial.Subject, error) {
	want, err := trial.ParseDecision(decision)
	if err != nil {
		return nil, err
	}
	ready, done := beforeDeadline(c)
	defer done()
	s, err := trial.Read(ready, m, output, want)
	if err != nil {
		return nil, notReady(c, asUsage(err))
	}
	if c.IsSet("tolerance") {
		if s.Tolerance, err = trial.ParseTolerance(c.String("tolerance")); err != nil {
			return nil, err
		}
	}
	names, err := namesOf(c)
	if err == nil {
		err = asUsage(s.Name(names))
	}
	return s, err
}

// saySubject says what is asked, where a report in JSON does not.
func saySubject(c *cli.Context, s *trial.Subject) {
	if jsonMode(c) == "" {
		foreign.Fprintf(c.App.ErrWriter, "%s\n", s.String())
	}
}

// farFromSample is what --tolerance says where it is about balls around samples.
const farFromSample = "no output may get farther than `T` from its value at the sample"

// toleranceFlag is --tolerance of the commands that ask of numbers how far they get.
func toleranceFlag(usage string) cli.Flag {
	return formFlag("tolerance", "with --decision regress: "+usage, "", func(text string) error {
		_, err := trial.ParseTolerance(text)
		return err
	})
}

// regress tells that outputs are numbers without classes.
func regress(c *cli.Context) bool { return c.String("decision") == string(trial.Regress) }

// answering is subjectOf for questions about balls, of classes or of numbers, with the data that goes with the model's inputs.
func answering(c *cli.Context, m *onnxio.Model, v trial.View) (*trial.Subject, *dataset.Set, error) {
	in, set, err := readInputs(c, m, true)
	if err != nil {
		return nil, nil, err
	}
	if m, err = arranged(c, in, v, 0); err != nil {
		return nil, nil, err
	}
	s, err := subjectOf(c, m)
	if err == nil {
		err = asUsage(s.Take(in))
	}
	if err == nil {
		err = asUsage(s.Answers())
	}
	return s, set, err
}

// asUsage lets whoever asked say what the file does not.
func asUsage(err error) error {
	var u *trial.UnclearError
	if errors.As(err, &u) {
		return usageError(u.Hint, "%v", u)
	}
	return err
}

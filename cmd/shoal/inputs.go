package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/verify"
	"github.com/shallow-waters/shoal/verify/falsify"
)

// inputFlags say what becomes of a model's inputs, where its file and the data leave that open.
func inputFlags() []cli.Flag { return []cli.Flag{holdFlag(), batchAxisFlag()} }

func holdFlag() cli.Flag {
	return &cli.GenericFlag{Name: "hold", Value: &holds{},
		Usage: "an input that is not asked about: `NAME` keeps its values of the data, NAME=VALUE a number (or several with commas); may be repeated"}
}

func batchAxisFlag() cli.Flag {
	return own(&cli.GenericFlag{Name: "batch-axis", Value: &axes{}, Usage: "`NAME=N`: the axis of the samples in an input or output, from 0, or none; may be repeated"},
		"by names and by trying")
}

// holds are inputs that keep their values.
type holds struct{ list []trial.Hold }

// Set implements cli.Generic.
func (h *holds) Set(text string) error {
	one, err := trial.ParseHold(text)
	if err == nil {
		h.list = append(h.list, one)
	}
	return err
}

func (h *holds) String() string {
	var words []string
	for _, one := range h.list {
		words = append(words, one.String())
	}
	return strings.Join(words, " ")
}

// axes are those of samples, by the names of inputs and outputs.
type axes struct {
	words []string
	of    map[string]int
}

// Set implements cli.Generic.
func (a *axes) Set(text string) error {
	name, axis, err := trial.ParseAxis(text)
	if err != nil {
		return err
	}
	if old, twice := a.of[name]; twice && old != axis {
		return fmt.Errorf("%s has another axis already", name)
	}
	if a.of == nil {
		a.of = map[string]int{}
	}
	a.of[name], a.words = axis, append(a.words, text)
	return nil
}

func (a *axes) String() string { return strings.Join(a.words, " ") }

// givenInputs is what the command line says of inputs.
func givenInputs(c *cli.Context) trial.Given {
	var g trial.Given
	if h, ok := c.Generic("hold").(*holds); ok {
		g.Hold = h.list
	}
	if a, ok := c.Generic("batch-axis").(*axes); ok {
		g.Axes = a.of
	}
	return g
}

// readInputs works out what becomes of a model's inputs, with the data where there are some. balls is for questions about all values near a sample's.
func readInputs(c *cli.Context, m *onnxio.Model, balls bool) (*trial.Inputs, *dataset.Set, error) {
	in, err := trial.NewInputs(m, givenInputs(c))
	if err != nil {
		return nil, nil, asUsage(err)
	}
	in.Balls = balls
	var set *dataset.Set
	if c.String("data") != "" {
		o, err := dataOptions(c)
		if err != nil {
			return nil, nil, err
		}
		if set, err = dataset.OpenContext(c.Context, c.String("data"), in.Options(o)); err != nil {
			return nil, nil, asUsage(err)
		}
		if err = set.Check(); err != nil {
			return nil, nil, err
		}
	}
	ready, done := beforeDeadline(c)
	defer done()
	if err := in.Take(ready, set); err != nil {
		return nil, nil, notReady(c, asUsage(err))
	}
	return in, set, nil
}

// arranged is a model with its inputs as a view has them for sample i.
func arranged(c *cli.Context, in *trial.Inputs, v trial.View, i int) (*onnxio.Model, error) {
	m, err := in.Model(c.Context, v, i)
	return m, asUsage(err)
}

// sayHeld says what is held, where a report in JSON does not.
func sayHeld(c *cli.Context, in *trial.Inputs) {
	if jsonMode(c) != "" {
		return
	}
	at := in.HeldAt()
	for _, name := range in.Held() {
		value := at[name]
		if value == "data" {
			value = "its values in the data"
		}
		foreign.Fprintf(c.App.ErrWriter, "held: input %s at %s\n", name, value)
	}
}

// reopened opens a subject for the samples whose held values are those of sample i. first is the search that proofs of the subject begin with, nil
// where the search has its turn later; o are its settings.
func reopened(ctx context.Context, c *cli.Context, s *trial.Subject, first *falsify.Attack, o attack.SearchOptions, i int) (*verify.Verifier,
	*falsify.Attack, error) {
	again, err := subjectFor(ctx, c, s, trial.Proven, i)
	if err != nil {
		return nil, nil, err
	}
	f, err := openFalsifier(c, again, o)
	if err != nil {
		return nil, nil, err
	}
	bounds := boundOptions(c)
	if first != nil {
		bounds = withFalsifier(c, f)
	}
	v, err := trial.OpenVerifier(ctx, again, bounds)
	if err != nil {
		closeFalsifier(f)
		return nil, nil, err
	}
	return v, f, nil
}

// subjectFor is a subject whose held values are those of sample i.
func subjectFor(ctx context.Context, c *cli.Context, s *trial.Subject, v trial.View, i int) (*trial.Subject, error) {
	m, err := s.Inputs.Model(ctx, v, i)
	if err != nil {
		return nil, asUsage(err)
	}
	again, err := subjectOf(c, m)
	if err == nil {
		err = again.Take(s.Inputs)
	}
	return again, asUsage(err)
}

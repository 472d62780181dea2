package main

import (
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/onnxio/engine"
)

func runCommand() *cli.Command {
	flags := append(append(append(append(dataFlags(), engineFlags()...), subjectFlags()...), inputFlags()...), dimFlag(),
		&cli.BoolFlag{Name: "float64", Usage: "compute in float64"},
		threadsFlag(),
		wholeFlag("batch", "samples given to the engine at once", "64", 1),
		jsonOption())
	return &cli.Command{
		Name:        "run",
		Usage:       "run a model on data: predictions, accuracy, speed",
		ArgsUsage:   "MODEL",
		Description: "Example: shoal run model.onnx --data cifar10:test_batch.bin --range 0:1000",
		Flags:       flags,
		Action:      question(runAction),
	}
}

func runAction(c *cli.Context) error {
	m, err := modelArg(c)
	if err != nil {
		return err
	}
	inputs, set, err := readInputs(c, m, false)
	if err != nil {
		return err
	}
	given, err := arranged(c, inputs, trial.Fed, 0)
	if err != nil {
		return err
	}
	sub, err := subjectOf(c, given)
	if err != nil {
		return err
	}
	if err := sub.Take(inputs); err != nil {
		return asUsage(err)
	}
	sess, err := engine.Open(c.Context, sub.Model, engineOptions(c))
	if err != nil {
		return err
	}
	defer sess.Close()
	in := sess.Inputs()
	if _, err := inputs.AskedPort(in); err != nil {
		return asUsage(err)
	}
	shape := append([]int{}, in[0].Shape...)
	fixed := 1
	if len(shape) > 0 {
		fixed = max(1, shape[0])
		shape[0] = 1
	}
	for k, d := range shape {
		if d < 0 {
			return usageError("bind it with --dim NAME=SIZE; shoal inspect shows the names", "dimension %d of input %q is free", k, in[0].Name)
		}
	}
	s, err := joined(c, set, shape)
	if err != nil {
		return err
	}
	saySubject(c, sub)
	sayHeld(c, inputs)
	r := &runTally{s: s, sub: sub, fixed: fixed, keep: jsonMode(c) != ""}
	r.Outputs, r.Predictions, r.Labels = [][]number{}, []int{}, []int{}
	r.DataHash, r.Engine, r.Numbers = s.set.SHA256, sess.Engine(), sub.Decision.Kind == trial.Regress
	err = r.all(c, sess)
	interrupted := c.Context.Err() != nil
	if err != nil && !interrupted {
		return err
	}
	told := sub.Describe(s.Samples)
	if b := r.batches; b != nil && !sub.Turned() {
		told.Batch.Along(b.Axes)
	}
	r.sum()
	doc := &report.Result{Question: report.Run, Model: modelOf(c, m), Subject: told, Ran: &r.RunSum, Interrupted: interrupted,
		SamplesDepend: r.batches != nil && r.batches.Depend}
	if err := printResult(c, doc); err != nil {
		return err
	}
	if interrupted {
		return errCutShort()
	}
	return nil
}

// runTally is what has been run so far.
type runTally struct {
	report.RunSum

	s       *samples
	batches *trial.Batches
	sub     *trial.Subject
	fixed   int  // batch of the file, 1 where it is free
	keep    bool // outputs
	correct int
	seconds float64
}

// all runs the samples a batch at a time. A batch that the file fixes is filled up with the last sample.
func (r *runTally) all(c *cli.Context, sess engine.Session) error {
	s := r.s
	batch := max(1, c.Int("batch")/r.fixed) * r.fixed
	r.batches = &trial.Batches{Session: sess, Fixed: r.fixed}
	r.batches.Axis = r.sub.ScoresAxis
	feed := r.sub.Inputs.Feed(s.Samples, sess.Inputs(), r.fixed)
	bar := newProgress(c.App.ErrWriter, s.set.Len(), "running")
	defer bar.finish()
	for from := 0; from < s.set.Len(); from += batch {
		n := min(batch, s.set.Len()-from)
		x, padded, err := feed.Next(from, n)
		if err != nil {
			return err
		}
		start := time.Now()
		alone := r.batches.Alone
		rows, err := r.batches.Run(c.Context, x, n, padded)
		if err != nil {
			return asUsage(err)
		}
		spent := time.Since(start).Seconds()
		if r.batches.Alone && !alone {
			foreign.Fprintf(c.App.ErrWriter, "%s\n", r.batches.Words())
		}
		width := len(rows[0][0])
		if from == 0 {
			if err := r.settle(c, width); err != nil {
				return err
			}
		}
		r.seconds += spent
		for i := range n {
			row := rows[0][i]
			best := r.sub.Decision.Class(row)
			r.Predictions, r.Labels = append(r.Predictions, best), append(r.Labels, s.set.Labels[from+i])
			switch {
			case best < 0 && r.sub.Classes() > 0:
				r.Undecided++
			case best == s.set.Labels[from+i]:
				r.correct++
			}
			r.Errors.Add(row, r.target(from+i))
			if r.keep {
				r.Outputs = append(r.Outputs, numbers(row))
			}
			bar.add()
		}
	}
	return nil
}

// target is what the outputs of sample i should be; nil where nothing says.
func (r *runTally) target(i int) []float64 {
	if !r.sub.Numbers() || r.s.Target == nil {
		return nil
	}
	t := r.s.Target(i)
	if r.keep && t != nil {
		r.Targets = append(r.Targets, numbers(t))
	}
	return t
}

// settle fixes what the scores decide, and looks at the labels of it.
func (r *runTally) settle(c *cli.Context, width int) error {
	if err := r.sub.Settle(width); err != nil {
		return asUsage(err)
	}
	if err := r.sub.CheckNames(); err != nil {
		return fmt.Errorf("%s: %w", c.String("labels"), err)
	}
	if r.sub.Numbers() || r.sub.Classes() > 0 {
		return checkLabels(c, r.s, r.sub)
	}
	return nil
}

// sum divides; shares are null as long as there is nothing to divide by.
func (r *runTally) sum() {
	n := len(r.Predictions)
	r.Accuracy, r.Speed = ratio(r.correct, n), number(float64(n)/r.seconds)
	if k := r.sub.Decision.Kind; k == trial.None || k == trial.Regress {
		r.Accuracy = report.None()
	}
}

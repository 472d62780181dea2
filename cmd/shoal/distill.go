package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/onnxio/infer"
	"github.com/shallow-waters/shoal/student"
)

func distillCommand() *cli.Command {
	flags := append(append(lessonFlags(), robustFlags()...),
		own(realFlag("temperature", "T of temperature, hinton or dkd", "", above0), "1 for temperature, 4 for hinton and dkd"),
		&cli.Uint64Flag{Name: "seed", Usage: "of everything random"},
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "`FILE.onnx` to write the student to"},
		&cli.StringFlag{Name: "checkpoint", Usage: "`FILE` that the run's state is written to after every epoch, every minute and at Ctrl-C"},
		&cli.BoolFlag{Name: "resume", Usage: "go on from --checkpoint where it is there"},
		&cli.BoolFlag{Name: "presets", Usage: "list the built-in students"},
		realFlag("min-accuracy", "exit with code 12 if the accuracy on --test is below this share", "", share),
		realFlag("max-rmse", "exit with code 12 if numbers (--decision regress) on --test differ from those that were learned by more, as a root mean square", "", notBelow0))
	return &cli.Command{
		Name:  "distill",
		Usage: "train a small student on what a teacher says",
		Description: "Example: shoal distill --teacher teacher.onnx --student small-fmnist-8-16 --data fmnist:/usr/share/datasets/fashion-mnist \\\n" +
			"           --technique temperature --temperature 2 --epochs 5 --test fmnist:/usr/share/datasets/fashion-mnist -o student.onnx\n\n" +
			"The student takes pixels in [0,1], channels first, whatever the teacher takes. With validation data the best epoch's weights are\n" +
			"written, else the last. A run that was cut off goes on with --checkpoint FILE --resume, to the same weights bit for bit.",
		Flags:  flags,
		Action: distillAction,
	}
}

// distillConfig reads all flags that say how to train.
func distillConfig(c *cli.Context) (student.Config, error) {
	cfg := trainingConfig(c)
	cfg.Temperature, cfg.Seed = c.Float64("temperature"), c.Uint64("seed")
	var err error
	if cfg.Robust, err = robustConfig(c); err != nil {
		return cfg, err
	}
	return cfg, valid(cfg)
}

func distillAction(c *cli.Context) error {
	if c.Bool("presets") {
		return listPresets(c)
	}
	cfg, err := distillConfig(c)
	if err != nil {
		return err
	}
	l, err := openLesson(c, cfg)
	if err != nil {
		return err
	}
	people := jsonMode(c) == ""
	if people {
		foreign.Fprintf(c.App.Writer, "%s: %d parameters; %d training samples, %d for validation\n", c.String("student"), l.arch.Parameters(),
			l.train.Len(), samplesOf(l.valid))
		foreign.Fprintln(c.App.Writer, "epoch  train loss", scoreHead(cfg), robustHead(cfg), "  seconds")
	}
	epoch := func(e student.Epoch) {
		switch {
		case people:
			foreign.Fprintf(c.App.Writer, "%s\n", epochLine(cfg, e))
		case jsonMode(c) == "lines":
			_ = jsonLine(c.App.Writer, map[string]any{"type": "epoch", "epoch": e}) // the summary reports a broken pipe
		}
	}
	res, err := l.train1(c, cfg, epoch, student.Options{Checkpoint: c.String("checkpoint"), Resume: c.Bool("resume")})
	interrupted := res != nil && c.Context.Err() != nil
	if err != nil && !interrupted {
		return err
	}
	if !interrupted {
		return l.finish(c, res, false)
	}
	if err := l.finish(c, res, true); err != nil {
		return err
	}
	e := &codeError{code: exitInterrupted}
	kept := "no epoch was finished, and no student is written"
	if res.BestEpoch > 0 {
		kept = fmt.Sprintf("%s is the student of epoch %d", c.String("output"), res.BestEpoch)
	}
	if file := c.String("checkpoint"); file != "" {
		kept, e.hint = fmt.Sprintf("%s holds the run's state, and %s", file, kept), "go on with --resume"
	}
	e.err = fmt.Errorf("interrupted after %d steps; %s", res.Steps, kept)
	return e
}

// train1 makes one run, with a bar.
func (l *lesson) train1(c *cli.Context, cfg student.Config, epoch func(student.Epoch), o student.Options) (*student.Result, error) {
	var bar *progress
	o.Epoch, o.Producer = epoch, "shoal "+version()
	o.Progress = func(p student.Progress) {
		if bar == nil {
			bar = newProgress(c.App.ErrWriter, p.Epochs*p.StepsAnEpoch-(p.Epoch-1)*p.StepsAnEpoch-p.Step+1, "training")
		}
		bar.add()
	}
	defer func() {
		if bar != nil {
			bar.finish()
		}
	}()
	res, err := student.Train(c.Context, l.arch, l.train, l.valid, cfg, o)
	var diverged *student.DivergedError
	if errors.As(err, &diverged) {
		e := &codeError{code: exitError, err: err}
		if rate := diverged.Smaller(); rate > 0 {
			e.hint = fmt.Sprintf("--learning-rate %.3g, for example", rate)
		}
		return nil, e
	}
	return res, err
}

func samplesOf(d *student.Data) int {
	if d == nil {
		return 0
	}
	return d.Len()
}

// scoreHead are the columns of an epoch's line that tell how good the student is on the validation data: two of classes, two of numbers.
func scoreHead(cfg student.Config) foreign.Constant {
	if cfg.Numbers {
		return "     valid RMSE    at most"
	}
	return "  valid accuracy  agreement"
}

func epochLine(cfg student.Config, e student.Epoch) string {
	valid, second, best := "-", "-", ""
	if e.Valid != nil && e.Best {
		best = "  best"
	}
	switch d := learned(cfg, e.Valid); {
	case d != nil:
		valid, second = fmt.Sprintf("%.4g", d.RMSE), fmt.Sprintf("%.4g", d.Max)
	case e.Valid != nil && !cfg.Numbers:
		valid, second = accuracyText(e.Valid), agreementText(e.Valid)
	}
	return fmt.Sprintf("%5d  %10s  %14s  %9s%s  %7.1f%s", e.Epoch, lossText(cfg, e.TrainLoss), valid, second, robustLine(e), e.Seconds, best)
}

// lossText is a loss for people: that of numbers has their unit, whatever that is.
func lossText(cfg student.Config, loss float64) string {
	if cfg.Numbers {
		return fmt.Sprintf("%.4g", loss)
	}
	return fmt.Sprintf("%.4f", loss)
}

// learned is how far numbers are from those that were learned; nil for classes, and where nothing was measured.
func learned(cfg student.Config, s *student.Score) *student.Deviation {
	switch {
	case s == nil || !cfg.Numbers:
		return nil
	case cfg.Technique == student.Labels:
		return s.Targets
	}
	return s.Teacher
}

// testScore runs a finished student on the test data; nil without any.
func (l *lesson) testScore(c *cli.Context, m *onnxio.Model, cfg student.Config) (*student.Score, error) {
	if l.test == nil {
		return nil, nil
	}
	ctx := infer.Once(c.Context)
	s, err := engine.Open(ctx, m, engine.Options{Threads: c.Int("threads")})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	var score student.Score
	if cfg.Numbers {
		score, err = student.EvaluateNumbers(ctx, s, l.test, cfg.Technique)
	} else {
		score, err = student.Evaluate(ctx, s, l.test)
	}
	return &score, err
}

// write saves the student and gives what others will read.
func (l *lesson) write(c *cli.Context, res *student.Result) (*onnxio.Model, error) {
	m, err := res.Model()
	if err != nil {
		return nil, err
	}
	if err := m.Save(c.String("output"), onnxio.SaveOptions{}); err != nil {
		return nil, err
	}
	return onnxio.LoadContext(context.WithoutCancel(c.Context), c.String("output")) // after an interrupt too
}

// finish writes the student and reports. A run that was interrupted writes its best epoch, if one was finished, and does not test it.
func (l *lesson) finish(c *cli.Context, res *student.Result, interrupted bool) error {
	r := l.result(report.Distill, res.Config)
	r.Interrupted = interrupted
	s := r.Trained
	s.History, s.Epochs, s.BestEpoch, s.Stopped, s.Steps, s.Seconds = orEmpty(res.History), len(res.History), res.BestEpoch,
		res.Stopped, res.Steps, res.Seconds
	if !interrupted || res.BestEpoch > 0 {
		m, err := l.write(c, res)
		if err != nil {
			return err
		}
		s.Student = &report.Student{Path: c.String("output"), SHA256: m.SHA256, Architecture: res.Architecture, Parameters: res.Architecture.Parameters()}
		if !interrupted {
			score, err := l.testScore(c, m, res.Config)
			if err != nil {
				return err
			}
			s.Test = scoreOf(score)
			if d := learned(res.Config, score); d != nil && c.IsSet("max-rmse") {
				most := c.Float64("max-rmse")
				r.Checks = append(r.Checks, report.AtMost("rmse", number(d.RMSE), most, "RMSE %.4g is above --max-rmse %v", d.RMSE, most))
			}
		}
	}
	if least := given(c, "min-accuracy"); least != nil && s.Test != nil {
		r.Checks = append(r.Checks, report.AtLeast("accuracy", s.Test.Accuracy, *least, "accuracy %s is below --min-accuracy %v",
			report.Share(s.Test.Accuracy, 4), *least))
	}
	if err := printResult(c, r); err != nil {
		return err
	}
	return missed(r)
}

// result is what every report of training holds.
func (l *lesson) result(q report.Question, cfg any) *report.Result {
	s := &report.TrainSum{Data: l.sources, Train: l.train.Len(), Validation: samplesOf(l.valid), Version: version(), Numbers: l.numbers}
	r := &report.Result{Question: q, Config: cfg, Trained: s}
	if l.teacher != nil {
		r.Subject = l.subject.Describe(nil)
		s.Teacher = &report.Teacher{Path: l.teacher.Path, SHA256: l.teacher.SHA256, Engine: l.engine, Test: l.teacherTest}
	}
	return r
}

// scoreOf is a score as reports have it.
func scoreOf(s *student.Score) *report.Score {
	if s == nil {
		return nil
	}
	known := func(v float64) number {
		if v < 0 {
			return report.None()
		}
		return number(v)
	}
	return &report.Score{Samples: s.Samples, Accuracy: known(s.Accuracy), Agreement: known(s.Agreement), Loss: known(s.Loss),
		Teacher: deviationOf(s.Teacher), Targets: deviationOf(s.Targets)}
}

// deviationOf is how far numbers are from others as reports have it.
func deviationOf(d *student.Deviation) *report.Deviation {
	if d == nil {
		return nil
	}
	return &report.Deviation{Samples: d.Samples, MSE: number(d.MSE), RMSE: number(d.RMSE), Mean: number(d.Mean), Max: number(d.Max), R2: number(d.R2)}
}

func listPresets(c *cli.Context) error {
	type preset struct {
		Name       string `json:"name"`
		Input      [3]int `json:"input"`
		Parameters int    `json:"parameters"`
	}
	var all []preset
	for _, name := range student.Presets() {
		a, err := student.Preset(name, [3]int{})
		if err != nil {
			return err
		}
		all = append(all, preset{name, a.Input, a.Parameters()})
	}
	if jsonMode(c) != "" {
		return printJSON(c.App.Writer, map[string]any{"presets": all})
	}
	for _, p := range all {
		if _, err := foreign.Fprintf(c.App.Writer, "%-28s %2dx%dx%d  %9d parameters\n", p.Name, p.Input[0], p.Input[1],
			p.Input[2], p.Parameters); err != nil {
			return err
		}
	}
	return nil
}

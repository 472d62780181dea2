package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/input"
	"github.com/shallow-waters/shoal/internal/kernel"
	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/onnxio/infer"
	"github.com/shallow-waters/shoal/student"
)

// lesson is what a student is taught with: the data with the teacher's logits, and where they come from.
type lesson struct {
	arch               *student.Architecture
	train, valid, test *student.Data
	teacher            *onnxio.Model  // nil without one
	subject            *trial.Subject // what is learned of it
	engine             string
	teacherTest        *report.Score
	sources            []report.DataSource
	labelled           []*dataset.Set // whose labels are learned or measured
	numbers            bool           // outputs are numbers: nobody looks at labels
}

// lessonFlags are those that distill and sweep share.
func lessonFlags() []cli.Flag {
	return append(engineFlags(),
		&cli.StringFlag{Name: "teacher", Usage: "model `FILE` whose logits the student learns; not needed for --technique labels"},
		&cli.StringFlag{Name: "student", Usage: "`ARCH`: a preset (--presets lists them), a .yaml file, or an .onnx file to go on from with its weights"},
		&cli.BoolFlag{Name: "fit", Usage: "make a preset for images of the data's size where it is for another"},
		formFlag("data", "training images, `KIND:PATH` with KIND one of "+strings.Join(dataset.Kinds(), ", "), "", isData),
		wordFlag("split", "test or train", "train", "test", "train"),
		formFlag("range", "training samples `a:b` in file order, half-open", "", isRange),
		own(wholeFlag("samples", "use only `N` of the training samples, chosen at random, always the same", "", 1), "all"),
		&cli.StringSliceFlag{Name: "extra", Usage: "images that only the teacher labels, `KIND:PATH`, their train split; may be given several times"},
		formFlag("validation", "validation images, `KIND:PATH`, instead of a share of the training data", "", isData),
		realFlag("validation-share", "share of the training data set aside for validation", "0.1", shareBelow),
		formFlag("test", "images, `KIND:PATH`, on whose test split the student is measured at the end", "", isData),
		resizeFlag(), exifFlag(), labelsFlag(),
		own(formFlag("teacher-output", "`NAME` of the teacher's output that holds its logits", "", notEmpty), "the only one that can"),
		decisionFlag("decision", "what scores say: argmax, threshold:`T` (one score of the teacher, class 1 above T, of which the student learns two) or regress (numbers)", "teacher-decision"),
		holdFlag(), batchAxisFlag(),
		realsFlag("mean", "`M` subtracted from pixels before the teacher, one number or one for each channel; the student takes pixels in [0,1]", "", anyNumber, false),
		realsFlag("std", "`S` by which pixels are divided after --mean", "", above0, false),
		own(wordFlag("technique", "labels, logits, temperature, hinton or dkd; with --decision regress logits (the teacher's numbers) or labels (the data's)",
			string(student.Temperature), techniques()...), "temperature, and logits with --decision regress"),
		own(realFlag("alpha", "hinton: weight of the teacher; dkd: of the target class", "", notBelow0), "0.9 for hinton, 1 for dkd"),
		own(realFlag("beta", "dkd: weight of the other classes", "", notBelow0), "8"),
		wholeFlag("epochs", "epochs at most", "10", 1),
		wholeFlag("batch", "samples in a step", "128", 1),
		wordFlag("optimizer", "adam, or sgd with --momentum", "adam", "adam", "sgd"),
		own(realFlag("momentum", "of --optimizer sgd", "", shareBelow), "none"),
		realFlag("learning-rate", "of the optimiser", "0.001", above0),
		own(wordFlag("rate-schedule", "how the learning rate goes down: cosine, or step", "", "cosine", "step"), "it stays"),
		own(wholeFlag("rate-every", "epochs between the steps of --rate-schedule step", "", 1), "none"),
		realFlag("rate-factor", "what a step of --rate-schedule step multiplies the rate by", "0.1", shareInside),
		own(realFlag("rate-warm-up", "epochs in which the learning rate grows", "", notBelow0), "none"),
		own(realFlag("label-smoothing", "share of a label that all classes have in equal parts; --technique labels", "", shareBelow), "none"),
		own(realFlag("clip-norm", "how long all gradients together may be", "", above0), "as they are"),
		realFlag("cooldown", "epochs at the end that lower the learning rate to a hundredth", "0", notBelow0),
		realFlag("weight-decay", "decoupled, as in AdamW", "0", notBelow0),
		own(wholeFlag("patience", "stop after `N` epochs without a better one; 0 never does", "", 0), "never"),
		own(wordFlag("monitor", "what is better on the validation data: accuracy, agreement or loss; with --robust also verified or attacked", "", "accuracy", "agreement", "loss", "verified", "attacked"),
			"agreement for logits, with --robust verified or attacked, else accuracy"),
		wordFlag("init", "torch (uniform in 1/sqrt(inputs)) or he", "torch", "torch", "he"),
		wholeFlag("shift", "move training images by up to `N` pixels", "0", 0),
		&cli.BoolFlag{Name: "flip", Usage: "mirror every other training image"},
		threadsFlag(),
		own(&cli.GenericFlag{Name: "cache", Usage: "folder `DIR` for the teacher's logits; none keeps nothing", Value: &form{"auto", notEmpty}},
			"a folder of the user's cache"),
		jsonLines())
}

func techniques() []string {
	var out []string
	for _, t := range student.Techniques() {
		out = append(out, string(t))
	}
	return out
}

// techniqueOf is --technique, or what stands for it where it is not given.
func techniqueOf(c *cli.Context) student.Technique {
	if regress(c) && !c.IsSet("technique") {
		return student.Logits
	}
	return student.Technique(c.String("technique"))
}

// trainingConfig reads the flags that are the same in every run of a command.
func trainingConfig(c *cli.Context) student.Config {
	cfg := student.Config{Technique: techniqueOf(c), Numbers: regress(c), Epochs: c.Int("epochs"), Batch: c.Int("batch"),
		LearningRate: c.Float64("learning-rate"), WeightDecay: c.Float64("weight-decay"), Cooldown: c.Float64("cooldown"),
		Patience: c.Int("patience"), Monitor: c.String("monitor"),
		ValidationShare: c.Float64("validation-share"), Init: c.String("init"), Optimizer: c.String("optimizer"), Momentum: c.Float64("momentum"),
		RateSchedule: c.String("rate-schedule"), RateEvery: c.Int("rate-every"),
		RateWarmUp: c.Float64("rate-warm-up"), LabelSmoothing: c.Float64("label-smoothing"), ClipNorm: c.Float64("clip-norm"),
		Augment: student.Augment{Shift: c.Int("shift"), Flip: c.Bool("flip")}, Threads: c.Int("threads")}
	cfg.Alpha, cfg.Beta = given(c, "alpha"), given(c, "beta")
	if c.String("validation") != "" {
		cfg.ValidationShare = 0
	}
	if cfg.Optimizer == "adam" { // as a configuration of old has it
		cfg.Optimizer = ""
	}
	if c.IsSet("rate-factor") {
		cfg.RateFactor = c.Float64("rate-factor")
	}
	return cfg
}

// valid tells what is wrong with a configuration on one line.
func valid(cfg student.Config) error {
	if err := cfg.Validate(); err != nil {
		return usageError("", "%s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return nil
}

// openLesson loads architecture, data and teacher. Its split of the validation data has a seed of its own, so that runs compare.
func openLesson(c *cli.Context, cfg student.Config) (*lesson, error) {
	l := &lesson{numbers: cfg.Numbers}
	var err error
	if l.train, err = l.load(c, "train", c.String("data"), c.String("split"), c.String("range")); err != nil {
		return nil, err
	}
	if n := c.Int("samples"); n != 0 {
		if n > l.train.Len() {
			return nil, usageError("", "--samples %d of %d", n, l.train.Len())
		}
		l.train, _ = student.Split(l.train, 1-float64(n)/float64(l.train.Len()), 1)
		l.sources[0].Samples = n
	}
	for _, spec := range c.StringSlice("extra") {
		more, err := l.load(c, "extra", spec, "train", "")
		if err != nil {
			return nil, err
		}
		for i := range more.Labels {
			more.Labels[i] = -1
		}
		if err := l.train.Append(more); err != nil {
			return nil, fmt.Errorf("%s: %w", spec, err)
		}
	}
	if spec := c.String("validation"); spec != "" {
		if l.valid, err = l.load(c, "validation", spec, "test", ""); err != nil {
			return nil, err
		}
	}
	if spec := c.String("test"); spec != "" {
		if l.test, err = l.load(c, "test", spec, "test", ""); err != nil {
			return nil, err
		}
	}
	classes := l.arch.Classes()
	for _, set := range l.labelled {
		if err := trial.CheckLessons(set, nil, classes); err != nil && !l.numbers {
			return nil, err
		}
	}
	if err := l.ask(c); err != nil {
		return nil, err
	}
	if names, err := namesOf(c); err != nil {
		return nil, err
	} else if len(names) > 0 && len(names) != classes {
		return nil, fmt.Errorf("%s: %d names of classes for a student of %d", c.String("labels"), len(names), classes)
	}
	for _, d := range []*student.Data{l.train, l.valid, l.test} {
		if d != nil && l.teacher == nil {
			d.Classes = classes
		}
	}
	if l.valid == nil {
		l.train, l.valid = student.Split(l.train, cfg.ValidationShare, 0)
	}
	return l, nil
}

// studentArg reads --student. fit lets a preset take images of another size than it was made for.
func studentArg(ctx context.Context, name string, shape [3]int, fit bool) (*student.Architecture, error) {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".yaml", ".yml":
		text, err := input.ReadFile(ctx, name)
		if err != nil {
			return nil, err
		}
		a, err := student.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return a, nil
	case ".onnx", ".gz":
		m, err := onnxio.LoadContext(ctx, name)
		if err != nil {
			return nil, err
		}
		a, err := student.FromGraphContext(ctx, m.Graph)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return a, nil
	}
	a, err := student.Preset(name, [3]int{})
	if err != nil {
		return nil, usageError("or give a .yaml or .onnx file", "--student: %v", err)
	}
	if a.Input == shape {
		return a, nil
	}
	if !fit {
		return nil, usageError("--fit makes it for images of that size", "preset %s takes images of %v (channels, height, width), and the data has %v", name, a.Input, shape)
	}
	if a, err = student.Preset(name, shape); err != nil {
		return nil, fmt.Errorf("preset %s for images of %v: %w", name, shape, err)
	}
	return a, nil
}

// load reads a data set into memory, channels first. The first one, of training images, says what the student takes.
func (l *lesson) load(c *cli.Context, use, spec, split, samples string) (*student.Data, error) {
	names, err := namesOf(c)
	if err != nil {
		return nil, err
	}
	set, shape, err := trial.OpenImages(c.Context, spec, dataset.Options{Split: split, Range: samples, Resize: resizeOf(c), EXIF: c.Bool("exif"),
		Targets: l.numbers, Order: names})
	if err == nil && l.arch == nil {
		l.arch, err = studentArg(c.Context, c.String("student"), shape, c.Bool("fit"))
	}
	if err != nil {
		return nil, err
	}
	l.sources = append(l.sources, report.DataSource{Use: use, Data: spec, Split: split, Range: samples, Samples: set.Len(),
		Resize: c.String("resize"), EXIF: c.Bool("exif"), SHA256: set.SHA256})
	if use != "extra" {
		l.labelled = append(l.labelled, set)
	}
	d, err := trial.Decode(c.Context, set, shape, nil)
	if err == nil && l.numbers {
		err = l.aim(c, use, set, d)
	}
	return d, err
}

// aim looks at what data says that a student's numbers should be. Where they are learned they must be there.
func (l *lesson) aim(c *cli.Context, use string, set *dataset.Set, d *student.Data) error {
	d.Classes = l.arch.Classes()
	err := trial.CheckLessonTargets(set, d.Classes)
	if techniqueOf(c) == student.Logits {
		if passedOver(c, err) {
			d.Targets, err = nil, nil
		}
		return err
	}
	if err == nil && d.Targets == nil && use != "extra" {
		return usageError("--technique logits --teacher FILE learns a teacher's numbers; an array labels of an npz file says others",
			"--technique labels learns the numbers that data says outputs should be, and %s says none", set.Path)
	}
	return err
}

// ask gets the teacher's logits for everything.
func (l *lesson) ask(c *cli.Context) error {
	path := c.String("teacher")
	if path == "" {
		return nil
	}
	m, err := onnxio.LoadContext(c.Context, path)
	if err != nil {
		return err
	}
	l.teacher = m
	whole := c.Context // training makes a graph in every epoch, none of which is to be kept
	c.Context = infer.Once(whole)
	defer func() { c.Context = whole }()
	in, err := trial.NewInputs(m, givenInputs(c))
	if err == nil {
		err = in.Take(c.Context, nil)
	}
	if err == nil {
		err = in.Settled()
	}
	if err != nil {
		return asUsage(err)
	}
	if m, err = arranged(c, in, trial.Fed, 0); err != nil {
		return err
	}
	if l.subject, err = subjectBy(c, m, c.String("teacher-output"), c.String("decision")); err == nil {
		err = asUsage(l.subject.Take(in))
	}
	if err == nil {
		err = asUsage(l.taught())
	}
	if err == nil {
		err = l.subject.CheckNames()
	}
	if err != nil {
		return err
	}
	hash := l.teacher.SHA256 // of what the logits are of, for the cache
	if m != l.teacher {
		hash += fmt.Sprintf(" inputs %v axes %v", in.HeldAt(), givenInputs(c).Axes)
	}
	if l.subject.Model != m {
		hash += " output " + l.subject.Output
	}
	saySubject(c, l.subject)
	sayHeld(c, in)
	m, stripped, err := trial.Teacher(l.subject, "shoal "+version())
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if stripped {
		foreign.Fprintf(c.App.ErrWriter, "%s ends in a %s; the numbers before it are its logits\n", path, lastOf(l.subject))
		hash += " logits"
	}
	if l.subject.Decision.Kind == trial.Threshold {
		hash += " " + l.subject.Decision.String()
	}
	s, err := engine.Open(c.Context, m, engineOptions(c))
	if err != nil {
		return err
	}
	defer s.Close()
	l.engine = s.Engine()
	o := student.TeacherOptions{Model: hash, Dir: c.String("cache")}
	switch o.Dir {
	case "none":
		o.Dir = ""
	case "auto":
		o.Dir = ""
		if dir, err := os.UserCacheDir(); err == nil {
			o.Dir = filepath.Join(dir, "shoal", "logits")
		}
	}
	if o.Mean, o.Std, err = trial.Spread(realsOf(c, "mean"), realsOf(c, "std"), l.train.Shape[0]); err != nil {
		return usageError("", "--%v", err)
	}
	for _, d := range []*student.Data{l.train, l.valid, l.test} {
		if d == nil {
			continue
		}
		bar := newProgress(c.App.ErrWriter, d.Len(), "asking the teacher")
		last := 0
		o.Progress = func(done int) {
			for ; last < done; last++ {
				bar.add()
			}
		}
		_, err := student.TeacherLogits(c.Context, s, d, o)
		bar.finish()
		if err != nil {
			return err
		}
	}
	if l.test != nil && l.numbers {
		l.teacherTest = &report.Score{Samples: l.test.Len(), Accuracy: report.None(), Agreement: report.None(), Loss: report.None(),
			Targets: deviationOf(student.DeviationOf(l.test.Logits, l.test.Targets, l.test.Classes))}
	} else if l.test != nil {
		right := 0
		for i, label := range l.test.Labels {
			if kernel.Largest(l.test.Logits[i*l.test.Classes:(i+1)*l.test.Classes]) == label {
				right++
			}
		}
		l.teacherTest = &report.Score{Samples: l.test.Len(), Accuracy: ratio(right, l.test.Len()), Agreement: 1}
	}
	return nil
}

// taught is an error where the subject has not the outputs that the student has, of classes or of numbers.
func (l *lesson) taught() error {
	if !l.numbers {
		return l.subject.Classified()
	}
	err := l.subject.Answers()
	if k := l.subject.Scores(); err == nil && k != l.arch.Classes() {
		err = fmt.Errorf("the teacher gives %d numbers (output %q) and the student %d: each of the student's learns one", k, l.subject.Output, l.arch.Classes())
	}
	return err
}

// lastOf is the operator at a teacher's end that students do not learn.
func lastOf(s *trial.Subject) string {
	if s.Decision.Kind == trial.Threshold {
		return "sigmoid"
	}
	return "softmax"
}

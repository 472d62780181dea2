package study

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/internal/numeral"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/prune"
	"github.com/shallow-waters/shoal/student"
	"github.com/shallow-waters/shoal/verify"
)

// Spec is a study as the user writes it. Paths in it are relative to the file's folder.
type Spec struct {
	Name string `yaml:"name" json:"name"`
	Note string `yaml:"note" json:"note,omitempty"` // stands at the head of the report
	Data Data   `yaml:"data" json:"data"`
	// Seeds repeat everything that is trained; intervals are over them.
	Seeds []uint64 `yaml:"seeds" json:"seeds"`
	// Decision is regress where outputs are numbers and decide no class, "" for classes; a teacher of a file that says so says it for the study.
	// Within is how far such outputs may get from their values in balls, taken exactly.
	Decision   string      `yaml:"decision" json:"decision,omitempty"`
	Within     string      `yaml:"within" json:"within,omitempty"`
	Training   Training    `yaml:"training" json:"training"`
	Teachers   []Teacher   `yaml:"teachers" json:"teachers"`
	Students   []Student   `yaml:"students" json:"students"`
	Techniques []Technique `yaml:"techniques" json:"techniques"`
	Prune      []Prune     `yaml:"prune" json:"prune,omitempty"`
	Retrain    []Retrain   `yaml:"retrain" json:"retrain,omitempty"`
	Attacks    []Attack    `yaml:"attacks" json:"attacks,omitempty"`
	Certify    *Certify    `yaml:"certify" json:"certify,omitempty"`
	Claims     []Claim     `yaml:"claims" json:"claims,omitempty"`
}

// Data says which images are for what.
type Data struct {
	Train Source `yaml:"train" json:"train"`
	// Extra images are labelled by the teacher only, for techniques that ask for them.
	Extra *Source `yaml:"extra" json:"extra,omitempty"`
	Test  Source  `yaml:"test" json:"test"`
	// Validation is the share of the training images that chooses epochs and temperatures; 0 means 0.1.
	Validation numeral.Real `yaml:"validation" json:"validation,omitempty"`
	// AllowOverlap lets the sets share images; the report says how many.
	AllowOverlap bool `yaml:"allow_overlap" json:"allow_overlap,omitempty"`
}

// Source is a set of images.
type Source struct {
	From  string `yaml:"from" json:"from"` // KIND:PATH
	Split string `yaml:"split" json:"split,omitempty"`
	Range string `yaml:"range" json:"range,omitempty"` // a:b in file order
	// Samples takes so many of them at random, always the same ones, in random order; 0 takes all, in the file's order.
	Samples int `yaml:"samples" json:"samples,omitempty"`
	// Skip leaves out so many of that random order first: another part of the same images.
	Skip int `yaml:"skip" json:"skip,omitempty"`
	// PixelRange is LO:HI or none; by default what the whole set shows.
	PixelRange string `yaml:"pixel_range" json:"pixel_range,omitempty"`
	// Resize (WxH) and EXIF change images as they are read; see dataset.Options.
	Resize string `yaml:"resize" json:"resize,omitempty"`
	EXIF   bool   `yaml:"exif" json:"exif,omitempty"`
	// Crop is WxH+LEFT+TOP; see dataset.ParseCrop.
	Crop string `yaml:"crop" json:"crop,omitempty"`
	// Labels are the names of the classes in the order of the models' scores; see dataset.Options.Order.
	Labels []string `yaml:"labels" json:"labels,omitempty"`
}

// Training are the settings of a run; what is not there (0 or nil) is taken from the study's training, and there from package student's
// defaults.
type Training struct {
	Epochs       int           `yaml:"epochs" json:"epochs,omitempty"`
	Batch        int           `yaml:"batch" json:"batch,omitempty"`
	LearningRate numeral.Real  `yaml:"learning_rate" json:"learning_rate,omitempty"`
	WeightDecay  *numeral.Real `yaml:"weight_decay" json:"weight_decay,omitempty"`
	Patience     *int          `yaml:"patience" json:"patience,omitempty"`
	Shift        *int          `yaml:"shift" json:"shift,omitempty"`
	Flip         *bool         `yaml:"flip" json:"flip,omitempty"`
	// Optimizer to ClipNorm are as in student.Config; a random crop behind padding is Shift.
	Optimizer      string       `yaml:"optimizer" json:"optimizer,omitempty"`
	Momentum       numeral.Real `yaml:"momentum" json:"momentum,omitempty"`
	RateSchedule   string       `yaml:"rate_schedule" json:"rate_schedule,omitempty"`
	RateEvery      int          `yaml:"rate_every" json:"rate_every,omitempty"`
	RateFactor     numeral.Real `yaml:"rate_factor" json:"rate_factor,omitempty"`
	RateWarmUp     numeral.Real `yaml:"rate_warm_up" json:"rate_warm_up,omitempty"`
	LabelSmoothing numeral.Real `yaml:"label_smoothing" json:"label_smoothing,omitempty"`
	ClipNorm       numeral.Real `yaml:"clip_norm" json:"clip_norm,omitempty"`
	// Robust trains on a bound of the loss over balls instead of the loss.
	Robust *Robust `yaml:"robust" json:"robust,omitempty"`
}

// over fills in what is not there. Robust is never inherited.
func (t Training) over(base Training) Training {
	if t.Epochs == 0 {
		t.Epochs = base.Epochs
	}
	if t.Batch == 0 {
		t.Batch = base.Batch
	}
	if t.LearningRate == 0 {
		t.LearningRate = base.LearningRate
	}
	t.WeightDecay = cmp.Or(t.WeightDecay, base.WeightDecay)
	if t.Optimizer == "" {
		t.Optimizer, t.Momentum = base.Optimizer, cmp.Or(t.Momentum, base.Momentum)
	}
	if t.RateSchedule == "" {
		t.RateSchedule, t.RateEvery, t.RateFactor = base.RateSchedule, cmp.Or(t.RateEvery, base.RateEvery), cmp.Or(t.RateFactor, base.RateFactor)
	}
	t.RateWarmUp, t.ClipNorm = cmp.Or(t.RateWarmUp, base.RateWarmUp), cmp.Or(t.ClipNorm, base.ClipNorm)
	t.Patience, t.Shift, t.Flip = cmp.Or(t.Patience, base.Patience), cmp.Or(t.Shift, base.Shift), cmp.Or(t.Flip, base.Flip)
	return t
}

// into writes the settings into a run's configuration.
func (t Training) into(c *student.Config) {
	c.Epochs, c.Batch, c.LearningRate, c.Patience = t.Epochs, t.Batch, float64(t.LearningRate), or0(t.Patience)
	c.Optimizer, c.Momentum, c.ClipNorm, c.LabelSmoothing = t.Optimizer, float64(t.Momentum), float64(t.ClipNorm), float64(t.LabelSmoothing)
	c.RateSchedule, c.RateEvery, c.RateFactor, c.RateWarmUp = t.RateSchedule, t.RateEvery, float64(t.RateFactor), float64(t.RateWarmUp)
	c.WeightDecay, c.Augment, c.Robust = float64(or0(t.WeightDecay)), student.Augment{Shift: or0(t.Shift), Flip: or0(t.Flip)}, t.Robust.student()
}

// float is the number as other packages take it.
func float(r *numeral.Real) *float64 { return (*float64)(r) }

// or0 is what a pointer shows, or nothing.
func or0[T any](p *T) T {
	if p == nil {
		var none T
		return none
	}
	return *p
}

// Teacher is a model file, or an architecture that is trained on labels first, anew for every seed.
type Teacher struct {
	Name  string `yaml:"name" json:"name"`
	Model string `yaml:"model" json:"model,omitempty"`
	// Robust tells whether the model was trained robustly: claims are about the one or the other sort of teacher.
	Robust *bool `yaml:"robust" json:"robust,omitempty"`
	// Mean and Std are for models that take (x-Mean)/Std: one number for each channel.
	Mean numeral.Reals `yaml:"mean" json:"mean,omitempty"`
	Std  numeral.Reals `yaml:"std" json:"std,omitempty"`
	// Output and Decision say what a model's numbers mean, where its file leaves that open; see trial.Read.
	Output   string `yaml:"output" json:"output,omitempty"`
	Decision string `yaml:"decision" json:"decision,omitempty"`
	// Hold are inputs beside the images, NAME=VALUE each; see trial.ParseHold.
	Hold []string `yaml:"hold" json:"hold,omitempty"`
	// BatchAxis is where samples lie in inputs and outputs, NAME=N each; see trial.ParseAxis.
	BatchAxis []string `yaml:"batch_axis" json:"batch_axis,omitempty"`

	Preset   string          `yaml:"preset" json:"preset,omitempty"`
	Fit      bool            `yaml:"fit" json:"fit,omitempty"` // make the preset for the data's images where it is for another size
	Layers   []student.Layer `yaml:"layers" json:"layers,omitempty"`
	Training Training        `yaml:"training" json:"training,omitzero"`
}

// Student is an architecture: a preset of package student, or layers.
type Student struct {
	Name   string          `yaml:"name" json:"name"`
	Preset string          `yaml:"preset" json:"preset,omitempty"`
	Fit    bool            `yaml:"fit" json:"fit,omitempty"` // as for teachers
	Layers []student.Layer `yaml:"layers" json:"layers,omitempty"`
}

// Technique is a way to teach.
type Technique struct {
	Name      string            `yaml:"name" json:"name"` // "" means the technique's own
	Technique student.Technique `yaml:"technique" json:"technique"`
	// Temperatures are each trained; the one with the best validation accuracy, as the mean over seeds, is carried on.
	Temperatures numeral.Reals `yaml:"temperatures" json:"temperatures,omitempty"`
	Alpha        *numeral.Real `yaml:"alpha" json:"alpha,omitempty"`
	Beta         *numeral.Real `yaml:"beta" json:"beta,omitempty"`
	Extra        bool          `yaml:"extra" json:"extra,omitempty"` // with the extra images
	// Adversarial teaches on images that an attack has moved, with what the teacher says of the images as they were.
	Adversarial *Adversarial `yaml:"adversarial" json:"adversarial,omitempty"`
	On          On           `yaml:"on" json:"on,omitzero"`
	Training    Training     `yaml:"training" json:"training,omitzero"`
}

// Adversarial is adversarial distillation by matching logits.
type Adversarial struct {
	// Form is static (the images are moved once, before training) or fly (behind every epoch, from where they are by then).
	Form string `yaml:"form" json:"form"`
	// Against is whom the static form attacks: teacher, or the name of a technique whose student of the same architecture it is. The other attacks the
	// student.
	Against string       `yaml:"against" json:"against,omitempty"`
	Eps     numeral.Real `yaml:"eps" json:"eps"`
	Step    numeral.Real `yaml:"step" json:"step,omitempty"`   // a share of eps; 0 means 1/5
	Steps   int          `yaml:"steps" json:"steps,omitempty"` // 0 means 100, and 20 on the fly
	// Until ends training on the fly once the agreement on the validation images has fallen so low; 0 never does.
	Until numeral.Real `yaml:"until" json:"until,omitempty"`
}

// On limits to what something is done: names, all where a list is not there, none where it is empty.
type On struct {
	Teachers   []string `yaml:"teachers" json:"teachers"`
	Students   []string `yaml:"students" json:"students"`
	Techniques []string `yaml:"techniques" json:"techniques"`
	Retrained  []string `yaml:"retrained" json:"retrained"`
	// Pruned models take part only where they are named.
	Pruned []string `yaml:"pruned" json:"pruned"`
}

// Prune removes filters from teachers and students.
type Prune struct {
	Name          string            `yaml:"name" json:"name"` // "" means score and ratio
	Score         prune.Score       `yaml:"score" json:"score"`
	Seed          uint64            `yaml:"seed" json:"seed,omitempty"`
	Ratio         numeral.Real      `yaml:"ratio" json:"ratio,omitempty"`
	Global        bool              `yaml:"global" json:"global,omitempty"`
	Thresholds    []prune.Threshold `yaml:"thresholds" json:"thresholds,omitempty"`
	Exclude       []string          `yaml:"exclude" json:"exclude,omitempty"`
	Keep          int               `yaml:"keep" json:"keep,omitempty"`
	MaxParameters int               `yaml:"max_parameters" json:"max_parameters,omitempty"`
	MaxMACs       int               `yaml:"max_macs" json:"max_macs,omitempty"`
	On            On                `yaml:"on" json:"on,omitzero"`
}

// choice is what package prune takes.
func (p Prune) choice() prune.Choice {
	return prune.Choice{Score: p.Score, Seed: p.Seed, Ratio: float64(p.Ratio), Global: p.Global, Thresholds: p.Thresholds, Exclude: p.Exclude,
		Keep:          p.Keep,
		MaxParameters: p.MaxParameters, MaxMACs: p.MaxMACs}
}

// Retrain goes on from distilled students with robust training.
type Retrain struct {
	Name     string   `yaml:"name" json:"name"`
	Training Training `yaml:"training" json:"training"`
	// StraightEpochs, where above 0, trains the same students with the same loss from random weights too, for so many epochs.
	StraightEpochs int `yaml:"straight_epochs" json:"straight_epochs,omitempty"`
	On             On  `yaml:"on" json:"on,omitzero"`
}

// Attack is tried on the first test images.
type Attack struct {
	Name     string        `yaml:"name" json:"name"` // "" means the method's
	Method   string        `yaml:"method" json:"method"`
	Steps    int           `yaml:"steps" json:"steps,omitempty"`
	Restarts int           `yaml:"restarts" json:"restarts,omitempty"`
	Step     numeral.Real  `yaml:"step" json:"step,omitempty"`   // a share of eps
	Decay    numeral.Real  `yaml:"decay" json:"decay,omitempty"` // of the momentum
	Eps      numeral.Reals `yaml:"eps" json:"eps"`
	Images   int           `yaml:"images" json:"images,omitempty"` // 0 means all
	Seed     uint64        `yaml:"seed" json:"seed,omitempty"`
	On       On            `yaml:"on" json:"on,omitzero"`
}

// Certify looks for certified radii of the first test images.
type Certify struct {
	// Domains are those of package verify; NAME-plain goes without what shoal adds to the published one. The first is the thesis' measure.
	Domains   []string      `yaml:"domains" json:"domains"`
	Images    int           `yaml:"images" json:"images,omitempty"` // 0 means all
	MaxEps    numeral.Real  `yaml:"max_eps" json:"max_eps"`
	Tolerance numeral.Real  `yaml:"tolerance" json:"tolerance,omitempty"` // 0 means max_eps/500
	Eps       numeral.Reals `yaml:"eps" json:"eps,omitempty"`             // of the table of certified accuracies
	// Unbounded leaves balls uncut by valid pixels, as the thesis does.
	Unbounded bool `yaml:"unbounded" json:"unbounded,omitempty"`
	// NoAttack leaves out the attack's upper curve.
	NoAttack bool `yaml:"no_attack" json:"no_attack,omitempty"`
	On       On   `yaml:"on" json:"on,omitzero"`
}

// Claim names one of the thesis' claims and what it is checked on. See claims.go for what each one needs.
type Claim struct {
	Claim      int           `yaml:"claim" json:"claim"`
	Teacher    string        `yaml:"teacher" json:"teacher,omitempty"`
	Students   []string      `yaml:"students" json:"students,omitempty"`     // in the claim's order; none means all
	Techniques []string      `yaml:"techniques" json:"techniques,omitempty"` // the better one first, where two are compared
	Prune      string        `yaml:"prune" json:"prune,omitempty"`
	Retrain    string        `yaml:"retrain" json:"retrain,omitempty"`
	Attack     string        `yaml:"attack" json:"attack,omitempty"`
	Eps        numeral.Reals `yaml:"eps" json:"eps,omitempty"`
	// Margin, in percentage points, is what a loss of accuracy may come to where the claim is that nothing is lost; nil means 0.5.
	Margin *numeral.Real `yaml:"margin" json:"margin,omitempty"`
}

var unknownKey = regexp.MustCompile(`(line \d+): field (\S+) not found in type \S+`)

// Parse reads a study from YAML. Unknown keys are errors that name the line. Names that were left out are filled in.
func Parse(text []byte) (*Spec, error) {
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	s := &Spec{}
	if err := d.Decode(s); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the study is empty")
		}
		return nil, errors.New(unknownKey.ReplaceAllString(strings.TrimPrefix(err.Error(), "yaml: "), "$1: there is no key $2 here"))
	}
	if err := d.Decode(&Spec{}); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one YAML document")
	}
	if err := zeros(text); err != nil {
		return nil, err
	}
	s.fill()
	return s, s.Validate()
}

// fill gives names and sizes that were left out.
func (s *Spec) fill() {
	if s.Data.Validation == 0 {
		s.Data.Validation = 0.1
	}
	if len(s.Seeds) == 0 {
		s.Seeds = []uint64{0}
	}
	for i := range s.Teachers {
		if t := &s.Teachers[i]; t.Decision == string(trial.Regress) && s.Decision == "" {
			s.Decision = t.Decision
		}
	}
	for i := range s.Techniques {
		if t := &s.Techniques[i]; t.Name == "" {
			t.Name = string(t.Technique)
		}
	}
	for i := range s.Students {
		if t := &s.Students[i]; t.Name == "" {
			t.Name = t.Preset
		}
	}
	for i := range s.Prune {
		p := &s.Prune[i]
		if p.Score == "" {
			p.Score = prune.L1
		}
		if p.Name == "" {
			p.Name = string(p.Score)
			if p.Ratio > 0 {
				p.Name += fmt.Sprintf(" %v %%", 100*float64(p.Ratio))
			}
		}
	}
	for i := range s.Attacks {
		if a := &s.Attacks[i]; a.Name == "" {
			a.Name = a.Method
		}
	}
	if c := s.Certify; c != nil && c.Tolerance == 0 {
		c.Tolerance = c.MaxEps / 500
	}
}

// Validate reports all faults.
func (s *Spec) Validate() error {
	v := &validation{numbers: s.numbers()}
	v.check(s.Name != "", "name is missing")
	v.source("data.train", &s.Data.Train)
	v.source("data.test", &s.Data.Test)
	if s.Data.Extra != nil {
		v.source("data.extra", s.Data.Extra)
	}
	v.check(s.Data.Validation > 0 && s.Data.Validation < 1, "data.validation %v: want more than 0 and less than 1", s.Data.Validation)
	for i, n := range s.Seeds {
		v.check(!slices.Contains(s.Seeds[:i], n), "seeds: %d is there twice", n)
	}
	v.training("training", s.Training)
	v.check(s.Training.Robust == nil, "training.robust: robust training belongs to a teacher or to retrain")
	v.check(len(s.Teachers) > 0, "teachers: there is none")
	v.check(len(s.Students) == 0 || len(s.Techniques) > 0, "techniques: students have none")
	s.numbersOnly(v)
	s.people(v)
	s.work(v)
	s.claims(v)
	if len(v.faults) == 0 { // the rest looks at what names mean
		s.premises(v)
	}
	return errors.Join(v.faults...)
}

type validation struct {
	faults  []error
	numbers bool // the study is of them
}

func (v *validation) check(ok bool, format string, args ...any) {
	if !ok {
		v.faults = append(v.faults, fmt.Errorf(format, args...))
	}
}

func (v *validation) source(where string, s *Source) {
	v.check(strings.Contains(s.From, ":"), "%s.from %q: want KIND:PATH", where, s.From)
	v.check(s.Samples >= 0 && s.Skip >= 0, "%s: samples and skip are at least 0", where)
	v.check(s.Skip == 0 || s.Samples > 0, "%s.skip goes with samples", where)
	for i, n := range s.Labels {
		v.check(n != "" && !slices.Contains(s.Labels[:i], n), "%s.labels: name %d, %q, is empty or there twice", where, i, n)
	}
	if _, err := dataset.ParseSize(s.Resize); err != nil && s.Resize != "" {
		v.check(false, "%s.resize: %w", where, err)
	}
	if _, err := dataset.ParseCrop(s.Crop); err != nil && s.Crop != "" {
		v.check(false, "%s.crop: %w", where, err)
	}
}

func (v *validation) training(where string, t Training) {
	c := student.Config{Numbers: v.numbers}
	if t.into(&c); v.numbers {
		c.Robust = nil // numbersOnly says it, where it has a place to name
	}
	if err := c.Validate(); err != nil {
		v.check(false, "%s: %w", where, err)
	}
	v.check(t.Robust == nil || len(t.Robust.Kappa) == 0 || len(t.Robust.Kappa) == 2, "%s.robust.kappa: want two numbers", where)
}

// name checks that names are there and differ.
func (v *validation) name(where, name string, seen map[string]bool) {
	v.check(name != "", "%s: name is missing", where)
	v.check(!seen[name], "%s: the name %q is there twice", where, name)
	seen[name] = true
}

func (v *validation) architecture(where, preset string, fit bool, layers []student.Layer) {
	v.check((preset != "") != (len(layers) > 0), "%s: want either preset or layers", where)
	v.check(preset != "" || !fit, "%s: fit goes with preset", where)
	if preset != "" {
		if _, err := student.Preset(preset, [3]int{}); err != nil {
			v.check(false, "%s: %w", where, err)
		}
	}
}

func (s *Spec) people(v *validation) {
	seen := map[string]bool{}
	for i, t := range s.Teachers {
		where := fmt.Sprintf("teachers[%d]", i)
		v.name(where, t.Name, seen)
		if t.Model != "" {
			v.check(t.Preset == "" && len(t.Layers) == 0, "%s: a model has no preset and no layers", where)
		} else {
			v.architecture(where, t.Preset, t.Fit, t.Layers)
			v.check(t.Robust == nil, "%s: robust is for models: training says it of what is trained here", where)
			v.check(t.Mean == nil && t.Std == nil && t.Output == "" && t.Decision == "" && t.Hold == nil && t.BatchAxis == nil, "%s: mean, std, output, decision, hold and batch_axis are for models", where)
		}
		for _, text := range t.Hold {
			h, err := trial.ParseHold(text)
			if err == nil && h.Value == "" {
				err = fmt.Errorf("%q: want NAME=VALUE: images have no arrays of other inputs", text)
			}
			if err != nil {
				v.check(false, "%s.hold: %w", where, err)
			}
		}
		axes := map[string]int{}
		for _, text := range t.BatchAxis {
			name, axis, err := trial.ParseAxis(text)
			v.check(err == nil, "%s.batch_axis: %q: %w", where, text, err)
			if old, twice := axes[name]; twice && old != axis {
				v.check(false, "%s.batch_axis: %s has another axis already", where, name)
			}
			axes[name] = axis
		}
		if _, err := trial.ParseDecision(t.Decision); err != nil {
			v.check(false, "%s.decision: %w", where, err)
		}
		for _, x := range t.Std {
			v.check(x > 0, "%s: std %v is not more than 0", where, x)
		}
		v.training(where+".training", t.Training)
	}
	seen = map[string]bool{}
	for i, t := range s.Students {
		where := fmt.Sprintf("students[%d]", i)
		v.name(where, t.Name, seen)
		v.architecture(where, t.Preset, t.Fit, t.Layers)
	}
	seen = map[string]bool{}
	for i, t := range s.Techniques {
		where := fmt.Sprintf("techniques[%d]", i)
		v.name(where, t.Name, seen)
		v.on(where, s, t.On)
		v.training(where+".training", t.Training)
		v.check(t.Training.Robust == nil, "%s.training.robust: robust training belongs to a teacher or to retrain", where)
		v.check(!t.Extra || s.Data.Extra != nil, "%s.extra: data.extra is missing", where)
		v.check(!t.Extra || t.Technique != student.Labels, "%s.extra: the extra images have no labels", where)
		s.adversarial(v, where+".adversarial", i)
		temperatures := t.Temperatures
		if len(temperatures) == 0 {
			temperatures = []float64{0}
		}
		for _, x := range temperatures {
			c := student.Config{Technique: t.Technique, Numbers: v.numbers, Temperature: x, Alpha: float(t.Alpha), Beta: float(t.Beta)}
			if err := c.Validate(); err != nil {
				v.check(false, "%s: %w", where, err)
			}
			v.check(x > 0 || len(t.Temperatures) == 0, "%s.temperatures: %v is not more than 0", where, x)
		}
	}
}

func (s *Spec) work(v *validation) {
	seen := map[string]bool{}
	for i, p := range s.Prune {
		where := fmt.Sprintf("prune[%d]", i)
		v.name(where, p.Name, seen)
		v.on(where, s, p.On)
		if err := p.choice().Validate(); err != nil {
			v.check(false, "%s: %w", where, err)
		}
		v.check(p.Ratio > 0 || len(p.Thresholds) > 0 || p.choice().Budgeted() || p.Score == prune.ProvenDead, "%s: nothing says how much to remove: ratio, thresholds, max_parameters, max_macs or score: proven-dead", where)
	}
	seen = map[string]bool{}
	for i, r := range s.Retrain {
		where := fmt.Sprintf("retrain[%d]", i)
		v.name(where, r.Name, seen)
		v.on(where, s, r.On)
		v.training(where+".training", r.Training)
		v.check(r.Training.Robust != nil, "%s.training.robust is missing", where)
		v.check(r.StraightEpochs >= 0, "%s.straight_epochs is at least 0", where)
		v.check(r.On.Retrained == nil, "%s.on.retrained: what is retrained is not retrained again", where)
	}
	seen = map[string]bool{}
	for i, a := range s.Attacks {
		where := fmt.Sprintf("attacks[%d]", i)
		v.name(where, a.Name, seen)
		v.on(where, s, a.On)
		if _, err := a.method(); err != nil {
			v.check(false, "%s: %w", where, err)
		}
		v.check(len(a.Eps) > 0, "%s.eps is missing", where)
		v.eps(where+".eps", a.Eps)
		v.check(a.Images >= 0, "%s.images is at least 0", where)
	}
	if c := s.Certify; c != nil {
		v.check(len(c.Domains) > 0, "certify.domains is missing")
		for i, d := range c.Domains {
			m, _ := domainOf(d)
			v.check(slices.Contains(verify.Methods(), string(m)), "certify.domains: %q is none of %v", d, verify.Methods())
			v.check(!slices.Contains(c.Domains[:i], d), "certify.domains: %s is there twice", d)
		}
		v.check(c.MaxEps > 0 && c.MaxEps <= 1, "certify.max_eps %v: want more than 0 and at most 1", c.MaxEps)
		v.check(c.Tolerance > 0, "certify.tolerance %v: want more than 0", c.Tolerance)
		v.eps("certify.eps", c.Eps)
		v.check(c.Images >= 0, "certify.images is at least 0")
		v.on("certify", s, c.On)
	}
}

// plain ends a domain's name that is to be used as published.
const plain = "-plain"

// domainOf reads a domain's name.
func domainOf(name string) (m verify.Method, bare bool) {
	if slices.Contains(verify.Methods(), name) {
		return verify.Method(name), false
	}
	name, bare = strings.CutSuffix(name, plain)
	return verify.Method(name), bare
}

func (v *validation) eps(where string, list []float64) {
	for i, e := range list {
		v.check(e >= 0 && e <= 1 && !math.IsNaN(e), "%s: %v is not between 0 and 1", where, e)
		v.check(i == 0 || e > list[i-1], "%s: %v is not more than the one before", where, e)
	}
}

// on checks that names are known.
func (v *validation) on(where string, s *Spec, o On) {
	v.known(where+".on.teachers", o.Teachers, names(s.Teachers, func(t Teacher) string { return t.Name }))
	v.known(where+".on.students", o.Students, names(s.Students, func(t Student) string { return t.Name }))
	v.known(where+".on.techniques", o.Techniques, names(s.Techniques, func(t Technique) string { return t.Name }))
	v.known(where+".on.pruned", o.Pruned, names(s.Prune, func(t Prune) string { return t.Name }))
	v.known(where+".on.retrained", o.Retrained, names(s.Retrain, func(t Retrain) string { return t.Name }))
}

func (v *validation) known(where string, list, known []string) {
	for _, n := range list {
		v.check(slices.Contains(known, n), "%s: %q is none of %s", where, n, strings.Join(known, ", "))
	}
}

func names[T any](list []T, name func(T) string) []string {
	var out []string
	for _, t := range list {
		out = append(out, name(t))
	}
	return out
}

func (s *Spec) claims(v *validation) {
	for i, c := range s.Claims {
		where := fmt.Sprintf("claims[%d]", i)
		v.check(c.Claim >= 1 && c.Claim <= len(theses), "%s.claim %d: want 1 to %d", where, c.Claim, len(theses))
		v.check(or0(c.Margin) >= 0, "%s.margin is at least 0", where)
		v.on(where, s, On{Teachers: one(c.Teacher), Students: c.Students, Techniques: c.Techniques, Pruned: one(c.Prune), Retrained: one(c.Retrain)})
		v.known(where+".attack", one(c.Attack), names(s.Attacks, func(a Attack) string { return a.Name }))
	}
}

// method makes the attack.
func (a Attack) method() (attack.Attack, error) {
	return attack.New(a.Method, attack.Effort{Steps: a.Steps, Restarts: a.Restarts, Step: float64(a.Step), Decay: float64(a.Decay)})
}

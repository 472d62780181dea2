package student

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Technique is what a student learns from.
type Technique string

// The techniques. All but Labels need the teacher's logits.
const (
	Labels      Technique = "labels"      // cross-entropy with the data's labels
	Logits      Technique = "logits"      // squared difference of logits, the mean over batch and classes
	Temperature Technique = "temperature" // cross-entropy of the student at T = 1 with softmax(teacher/T)
	Hinton      Technique = "hinton"      // alpha T² cross-entropy at T on both sides, and (1-alpha) cross-entropy with the labels
	DKD         Technique = "dkd"         // cross-entropy with the labels, and T²(alpha target + beta non-target divergence)
)

// Techniques lists them.
func Techniques() []Technique { return []Technique{Labels, Logits, Temperature, Hinton, DKD} }

// Config is a training run, as a report holds it. The zero value trains on labels with the defaults that the fields name.
type Config struct {
	Technique Technique `json:"technique"` // "" means labels
	// Numbers says that outputs are numbers and decide no class: Labels then means the mean squared difference to the data's Targets, and Logits that to
	// the teacher's outputs. No other technique has a meaning there, nor has what is about classes (robust training, smoothed labels).
	Numbers     bool     `json:"numbers,omitempty"`
	Temperature float64  `json:"temperature,omitempty"` // T > 0; 0 means 1 for temperature, 4 for hinton and dkd
	Alpha       *float64 `json:"alpha,omitempty"`       // hinton: in [0,1], nil means 0.9; dkd: at least 0, nil means 1
	Beta        *float64 `json:"beta,omitempty"`        // dkd: at least 0, nil means 8

	Epochs       int     `json:"epochs"`        // at most; 0 means 10
	Batch        int     `json:"batch"`         // 0 means 128; a last incomplete batch is dropped
	LearningRate float64 `json:"learning_rate"` // 0 means 1e-3
	WeightDecay  float64 `json:"weight_decay,omitempty"`
	// Cooldown is how many epochs at the end lower the learning rate, linearly, to a hundredth; 0 keeps it.
	Cooldown float64 `json:"cooldown,omitempty"`
	// Optimizer is adam (also "") or sgd. Momentum is sgd's, in [0,1). WeightDecay is decoupled in Adam (AdamW), and a part of the gradient in sgd.
	Optimizer string  `json:"optimizer,omitempty"`
	Momentum  float64 `json:"momentum,omitempty"`
	// RateSchedule lowers the learning rate: cosine, step (by RateFactor, 0 means 0.1, every RateEvery epochs), or "" for none. RateWarmUp is how many
	// epochs it takes to grow to its full value.
	RateSchedule string  `json:"rate_schedule,omitempty"`
	RateEvery    int     `json:"rate_every,omitempty"`
	RateFactor   float64 `json:"rate_factor,omitempty"`
	RateWarmUp   float64 `json:"rate_warm_up,omitempty"`
	// LabelSmoothing is the share of a label that all classes have in equal parts, in [0,1); labels only. Szegedy et al. 2016, section 7.
	LabelSmoothing float64 `json:"label_smoothing,omitempty"`
	// ClipNorm is how long all gradients together may be; 0 does not clip.
	ClipNorm float64 `json:"clip_norm,omitempty"`
	// Patience stops training after so many epochs without a better Monitor; 0 never does.
	Patience int     `json:"patience,omitempty"`
	MinDelta float64 `json:"min_delta,omitempty"` // what counts as better, beyond the old best
	// Monitor chooses the best epoch on the validation data: accuracy, agreement, loss, verified or attacked; "" means agreement for logits,
	// verified or attacked where training is robust, else accuracy. Of numbers it is always loss.
	Monitor string `json:"monitor,omitempty"`
	// ValidationShare of the training data is set aside by Split, in [0,1).
	ValidationShare float64 `json:"validation_share,omitempty"`

	Seed    uint64  `json:"seed"`
	Init    string  `json:"init,omitempty"` // torch (also ""): uniform in +-1/sqrt(fan in); he: normal with variance 2/fan in
	Augment Augment `json:"augment,omitzero"`
	// Robust trains for a ball around every image; nil does not.
	Robust *Robust `json:"robust,omitempty"`

	// Threads are the cores used; 0 means all. Results do not depend on it.
	Threads int `json:"-"`
}

// Augment changes training images at random, each time anew.
type Augment struct {
	Shift int  `json:"shift,omitempty"` // by up to so many pixels in each direction; what comes in is 0
	Flip  bool `json:"flip,omitempty"`  // left and right, every other image
}

// Settings is the configuration as a run uses it: every default filled in.
func (c Config) Settings() Config { return c.withDefaults() }

// withDefaults fills in what is 0.
func (c Config) withDefaults() Config {
	set := func(v *float64, def float64) {
		if *v == 0 {
			*v = def
		}
	}
	if c.Technique == "" {
		c.Technique = Labels
	}
	alpha := 0.9
	switch c.Technique {
	case Temperature:
		set(&c.Temperature, 1)
	case Hinton:
		set(&c.Temperature, 4)
	case DKD:
		set(&c.Temperature, 4)
		alpha = 1
		if c.Beta == nil {
			beta := 8.0
			c.Beta = &beta
		}
	}
	if c.Alpha == nil && (c.Technique == Hinton || c.Technique == DKD) {
		c.Alpha = &alpha
	}
	if c.Epochs == 0 {
		c.Epochs = 10
	}
	if c.Batch == 0 {
		c.Batch = 128
	}
	set(&c.LearningRate, 1e-3)
	if c.Monitor == "" {
		c.Monitor = "accuracy"
		switch {
		case c.Robust != nil:
			c.Monitor = c.Robust.monitor()
		case c.Numbers:
			c.Monitor = "loss"
		case c.Technique == Logits:
			c.Monitor = "agreement"
		}
	}
	if c.Robust != nil {
		r := c.Robust.withDefaults(c.Epochs)
		c.Robust = &r
	}
	if c.Init == "" {
		c.Init = "torch"
	}
	return c
}

// Validate reports all faults.
func (c Config) Validate() error {
	var faults []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	number := func(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
	given := c
	c = c.withDefaults()
	known := false
	for _, t := range Techniques() {
		known = known || t == c.Technique
	}
	check(known, "technique %q: want one of %v", c.Technique, Techniques())
	check(!c.Numbers || c.Technique == Labels || c.Technique == Logits, "technique %s compares classes: of numbers, logits learns the teacher's and labels the data's", c.Technique)
	check(!c.Numbers || c.Robust == nil, "robust training is for classes: students of numbers train without it")
	check(!c.Numbers || c.LabelSmoothing == 0, "label smoothing is for classes")
	soft := c.Technique == Temperature || c.Technique == Hinton || c.Technique == DKD
	check(soft || given.Temperature == 0, "technique %s has no temperature", c.Technique)
	check(!soft || number(c.Temperature) && c.Temperature > 0, "temperature %v: want more than 0", c.Temperature)
	check(given.Alpha == nil || c.Technique == Hinton || c.Technique == DKD, "technique %s has no alpha", c.Technique)
	if c.Alpha != nil {
		check(number(*c.Alpha) && *c.Alpha >= 0 && (*c.Alpha <= 1 || c.Technique == DKD), "alpha %v: want at least 0, and at most 1 for hinton", *c.Alpha)
	}
	check(given.Beta == nil || c.Technique == DKD, "technique %s has no beta", c.Technique)
	if c.Beta != nil {
		check(number(*c.Beta) && *c.Beta >= 0, "beta %v: want at least 0", *c.Beta)
	}
	check(c.Epochs >= 1 && c.Epochs <= 1<<30, "epochs %d: want 1 to %d", c.Epochs, 1<<30)
	check(c.Batch >= 1 && c.Batch <= 1<<16, "batch %d: want 1 to 65536", c.Batch)
	check(number(c.LearningRate) && c.LearningRate > 0, "learning rate %v: want more than 0", c.LearningRate)
	check(number(c.WeightDecay) && c.WeightDecay >= 0, "weight decay %v: want at least 0", c.WeightDecay)
	check(c.Patience >= 0, "patience %d: want at least 0", c.Patience)
	check(number(c.MinDelta) && c.MinDelta >= 0, "min delta %v: want at least 0", c.MinDelta)
	check(slices.Contains(c.monitors(), c.Monitor), "monitor %q: want one of %v", c.Monitor, c.monitors())
	check(number(c.Cooldown) && c.Cooldown >= 0 && c.Cooldown <= float64(c.Epochs), "cooldown of %v epochs: want at least 0, and at most the run's %d",
		c.Cooldown, c.Epochs)
	check(number(c.ValidationShare) && c.ValidationShare >= 0 && c.ValidationShare < 1, "validation share %v: want at least 0 and less than 1",
		c.ValidationShare)
	check(c.Optimizer == "" || c.Optimizer == "adam" || c.Optimizer == SGD, "optimizer %q: want adam or sgd", c.Optimizer)
	check(number(c.Momentum) && c.Momentum >= 0 && c.Momentum < 1, "momentum %v: want at least 0 and less than 1", c.Momentum)
	check(c.Momentum == 0 || c.Optimizer == SGD, "momentum goes with optimizer sgd")
	check(c.RateSchedule == "" || c.RateSchedule == CosineRate || c.RateSchedule == StepRate, "rate schedule %q: want cosine or step", c.RateSchedule)
	check(c.RateSchedule == "" || c.Cooldown == 0, "a rate schedule goes without cooldown")
	check((c.RateEvery > 0) == (c.RateSchedule == StepRate) && c.RateEvery >= 0,
		"rate every %d epochs: want at least 1, with the schedule step alone", c.RateEvery)
	check(number(c.RateFactor) && c.RateFactor >= 0 && c.RateFactor < 1 && (c.RateFactor == 0 || c.RateSchedule == StepRate),
		"rate factor %v: want more than 0 and less than 1, with the schedule step alone", c.RateFactor)
	check(number(c.RateWarmUp) && c.RateWarmUp >= 0 && c.RateWarmUp+c.Cooldown <= float64(c.Epochs),
		"warm-up of the rate over %v epochs: want at least 0, and at most the run's %d",
		c.RateWarmUp, c.Epochs)
	check(number(c.LabelSmoothing) && c.LabelSmoothing >= 0 && c.LabelSmoothing < 1,
		"label smoothing %v: want at least 0 and less than 1", c.LabelSmoothing)
	check(c.LabelSmoothing == 0 || c.Technique == Labels, "label smoothing goes with technique labels")
	check(c.LabelSmoothing == 0 || c.Robust == nil, "label smoothing goes without robust training")
	check(number(c.ClipNorm) && c.ClipNorm >= 0, "clip norm %v: want more than 0", c.ClipNorm)
	check(c.Init == "torch" || c.Init == "he", "init %q: want torch or he", c.Init)
	check(c.Augment.Shift >= 0 && c.Augment.Shift <= 1<<16, "shift %d: want 0 to 65536", c.Augment.Shift)
	check(c.Threads >= 0, "threads %d: want at least 0", c.Threads)
	if given.Robust != nil {
		faults = append(faults, given.Robust.validate(c.Epochs)...)
	}
	return errors.Join(faults...)
}

// monitors are the words for what is better.
func (c Config) monitors() []string {
	if c.Numbers {
		return []string{"loss"}
	}
	all := []string{"accuracy", "agreement", "loss"}
	if c.Robust != nil {
		all = append(all, c.Robust.monitor())
	}
	return all
}

// coolest is what a cooldown leaves of the learning rate.
const coolest = 0.01

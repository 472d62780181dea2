package study

import (
	"cmp"

	"github.com/shallow-waters/shoal/internal/numeral"
	"github.com/shallow-waters/shoal/student"
)

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

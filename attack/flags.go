package attack

import (
	"fmt"
	"slices"
)

// Flag is a reason to doubt a robust accuracy. Code is stable; Text is for people.
type Flag struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// The codes of flags.
const (
	// FlagZeroGradient: many gradients were zero everywhere, so that gradient attacks went nowhere.
	FlagZeroGradient = "zero-gradient"
	// FlagSoftmax: the model ends in a softmax, which was left out of the losses.
	FlagSoftmax = "softmax-output"
	// FlagStraight: gradients pass what is rounded as if it were not.
	FlagStraight = "straight-through"
	// FlagNoGradient: the model has no gradient; only attacks without one ran.
	FlagNoGradient = "no-gradient"
	// FlagMasking: an attack without gradients broke samples that the gradient attacks before it left.
	FlagMasking = "black-box-stronger"
	// FlagFewClasses: a loss of the method needs more classes than the model has.
	FlagFewClasses = "few-classes"
	// FlagRandom: the model gave different outputs for one input.
	FlagRandom = "randomised-outputs"
	// FlagUnconfirmed: points that the search found were not adversarial in a fresh run.
	FlagUnconfirmed = "unconfirmed"
	// FlagUndecided: samples, or inputs that were found, have scores that decide nothing.
	FlagUndecided = "undecided"
)

// flatShare is the share of zero gradients from which on a flag is raised.
const flatShare = 0.05

// flags collects the reasons for doubt that one run shows.
func (j *job) flags(res *Result) []Flag {
	var out []Flag
	add := func(code, format string, args ...any) { out = append(out, Flag{code, fmt.Sprintf(format, args...)}) }
	if j.asked > 0 && float64(j.flat) > flatShare*float64(j.asked) {
		add(FlagZeroGradient, "%d of %d gradients were zero everywhere: the network is saturated or masks its gradient; believe attacks without gradients",
			j.flat, j.asked)
	}
	if j.target.softmax {
		add(FlagSoftmax, "the model ends in a softmax; losses and gradients are of what it takes")
	}
	if j.target.o.Straight && j.target.noGrad == nil {
		add(FlagStraight, "gradients are straight-through estimates: they pass roundings as if these were not there")
	}
	if err := j.target.noGrad; err != nil {
		add(FlagNoGradient, "no gradients: %v", err)
	}
	if res.Unconfirmed > 0 {
		add(FlagUnconfirmed, "%d points were adversarial in the search and not in a fresh run of the model", res.Unconfirmed)
	}
	if slices.ContainsFunc(res.Outcomes, func(o Outcome) bool { return j.values == nil && (o.Predicted < 0 || o.Class < 0) }) {
		add(FlagUndecided, "there are inputs whose scores decide nothing, since one is NaN or the largest is infinite: that counts as wrong")
	}
	black, white := 0, 0
	for _, o := range res.Outcomes {
		at := slices.Index(Names(), o.Method) // none where no attack was needed, or none found anything
		switch {
		case at < 0:
		case table[at].blind():
			black++
		default:
			white++
		}
	}
	if j.name == "standard" || j.both {
		if black > 0 && black*20 > black+white {
			add(FlagMasking, "Square, which sees no gradients, broke %d samples that the gradient attacks left: gradients are masked", black)
		}
	}
	if j.few != "" {
		add(FlagFewClasses, "%s", j.few)
	}
	if j.random {
		add(FlagRandom, "the model gave two outputs for one input; robust accuracies of randomised models need averaging over runs")
	}
	return out
}

package student

import (
	"fmt"
	"math"
	"slices"
)

// Robust is how a student is trained to stand still in a ball around every image. With it, the technique's loss of the clean images weighs
// kappa, and the rest is the loss of the method.
type Robust struct {
	// Method is ibp, crown-ibp, dual, pgd or mixture.
	Method string `json:"method"`
	// Eps is the radius of the l-infinity ball, in pixels of [0,1], once the ramp is over; EpsStart is where it begins.
	Eps      float64 `json:"eps"`
	EpsStart float64 `json:"eps_start,omitempty"`
	// WarmUp is how many epochs pass at EpsStart, Ramp how many more until Eps is reached; nil means half the epochs, or none where
	// EpsStart is Eps. Both count in steps, so that parts of epochs make sense.
	WarmUp float64  `json:"warm_up,omitempty"`
	Ramp   *float64 `json:"ramp,omitempty"`
	// Schedule is the ramp's form: smooth (also "") or linear.
	Schedule string `json:"schedule,omitempty"`
	// KappaStart and KappaEnd are the weight of the clean loss, in [0,1], before and after the ramp. nil means 1 and 0.5 for ibp, 1 and 0 for
	// crown-ibp, 0 and 0 for the rest; the mixture has none.
	KappaStart *float64 `json:"kappa_start,omitempty"`
	KappaEnd   *float64 `json:"kappa_end,omitempty"`
	// BetaEnd is the weight of crown-ibp's backward bounds after the ramp, in [0,1]; it begins at 1, and the rest are intervals.
	BetaEnd float64 `json:"beta_end,omitempty"`
	// Alpha is the mixture's weight of the interval loss, in [0,1]; nil means 0.5.
	Alpha *float64 `json:"alpha,omitempty"`
	// Temperature is the mixture's, on both sides; 0 means 1.
	Temperature float64 `json:"temperature,omitempty"`
	// AttackSteps is how many steps the attack of pgd and mixture makes (0 means 7), StepSize a step's length as a share of the radius (0
	// means 2.5/steps).
	AttackSteps int     `json:"attack_steps,omitempty"`
	StepSize    float64 `json:"step_size,omitempty"`
	// Projections, with dual, estimates the bounds of training's loss by so many random projections for each source of looseness, at least 3, in
	// place of computing them: see projected.go. 0 computes them. What is reported as verified is computed either way.
	Projections int `json:"projections,omitempty"`
	// Unbounded leaves the ball as it is; otherwise it is cut by [0,1], where pixels are.
	Unbounded bool `json:"unbounded,omitempty"`
}

// The methods.
const (
	IBP      = "ibp"       // worst-case cross-entropy by intervals: Gowal et al. 2018
	CrownIBP = "crown-ibp" // by a backward pass over intervals during the ramp, then by intervals: Zhang et al. 2020
	Dual     = "dual"      // by the dual network, for small ones: Wong and Kolter 2018
	PGD      = "pgd"       // the technique's loss at an adversarial image: Madry et al. 2018 with labels, Goldblum et al. 2020 with a teacher
	Mixture  = "mixture"   // alpha times that of ibp and 1-alpha times T² KL(teacher at the image, student at its adversarial image)
)

// Methods lists them.
func Methods() []string { return []string{IBP, CrownIBP, Dual, PGD, Mixture} }

// attacks tells whether the method needs adversarial images.
func (r Robust) attacks() bool { return r.Method == PGD || r.Method == Mixture }

// bound is the sort of bounds that the method needs.
func (r Robust) bound() string {
	switch r.Method {
	case CrownIBP:
		return "crown"
	case Dual:
		return "dual"
	}
	return "interval"
}

// Bounds tells whether the method has bounds for an architecture's layers, as training does before its first step. The error is a BoundsError.
func (r Robust) Bounds(a *Architecture) error {
	stages, err := a.stages()
	if err != nil || r.Method == PGD {
		return err
	}
	return bounded(stages, r.bound())
}

// monitor is what makes one epoch better than another.
func (r Robust) monitor() string {
	if r.Method == PGD {
		return "attacked"
	}
	return "verified"
}

// withDefaults fills in what is 0 or nil for a run of so many epochs.
func (r Robust) withDefaults(epochs int) Robust {
	if r.Ramp == nil {
		ramp := 0.0
		if r.EpsStart != r.Eps {
			ramp = float64(epochs) / 2
		}
		r.Ramp = &ramp
	}
	if r.Schedule == "" {
		r.Schedule = "smooth"
	}
	start, end := 0.0, 0.0
	switch r.Method {
	case IBP:
		start, end = 1, 0.5
	case CrownIBP:
		start = 1
	}
	if r.Method != Mixture {
		if r.KappaStart == nil {
			r.KappaStart = &start
		}
		if r.KappaEnd == nil {
			r.KappaEnd = &end
		}
	} else {
		if r.Alpha == nil {
			half := 0.5
			r.Alpha = &half
		}
		if r.Temperature == 0 {
			r.Temperature = 1
		}
	}
	if r.attacks() {
		if r.AttackSteps == 0 {
			r.AttackSteps = 7
		}
		if r.StepSize == 0 {
			r.StepSize = 2.5 / float64(r.AttackSteps)
		}
	}
	return r
}

// validate reports all faults, for a run of so many epochs.
func (r Robust) validate(epochs int) []error {
	var faults []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf("robust: "+format, args...))
		}
	}
	share := func(v *float64) bool { return v == nil || *v >= 0 && *v <= 1 }
	given := r
	check(slices.Contains(Methods(), r.Method), "method %q: want one of %v", r.Method, Methods())
	check(r.Eps > 0 && r.Eps <= 1, "eps %v: want more than 0, and at most 1", r.Eps)
	check(r.EpsStart >= 0 && r.EpsStart <= r.Eps, "eps start %v: want at least 0, and at most eps", r.EpsStart)
	r = r.withDefaults(epochs)
	check(r.WarmUp >= 0 && *r.Ramp >= 0 && r.WarmUp+*r.Ramp <= float64(epochs),
		"%v epochs of warm-up and %v of ramp: want at least 0, together at most the run's %d", r.WarmUp, *r.Ramp, epochs)
	check(r.Schedule == "smooth" || r.Schedule == "linear", "schedule %q: want smooth or linear", r.Schedule)
	check(share(r.KappaStart) && share(r.KappaEnd), "kappa: want shares in [0,1]")
	check(share(&r.BetaEnd), "beta end %v: want a share in [0,1]", r.BetaEnd)
	check(share(r.Alpha), "alpha: want a share in [0,1]")
	check(given.BetaEnd == 0 || r.Method == CrownIBP, "method %s has no beta", r.Method)
	check(given.Alpha == nil && given.Temperature == 0 || r.Method == Mixture, "method %s has no alpha or temperature of its own", r.Method)
	check(given.KappaStart == nil && given.KappaEnd == nil || r.Method != Mixture, "the mixture has alpha, and no kappa")
	check(r.Temperature >= 0 && !math.IsInf(r.Temperature, 0), "temperature %v: want more than 0", r.Temperature)
	check(given.Projections == 0 || r.Method == Dual, "method %s has no projections", r.Method)
	check(given.Projections == 0 || given.Projections >= 3 && given.Projections <= 1<<10, "%d projections: want 3 to 1024, or none", given.Projections)
	check(r.attacks() || given.AttackSteps == 0 && given.StepSize == 0, "method %s attacks nothing: it has no steps", r.Method)
	check(r.AttackSteps >= 0 && r.AttackSteps <= 1<<16, "%d attack steps", r.AttackSteps)
	check(r.StepSize >= 0 && !math.IsInf(r.StepSize, 0), "step size %v: want a share of eps, more than 0", r.StepSize)
	return faults
}

// stand is where the schedules stand at a step.
type stand struct{ eps, kappa, beta float64 }

// at gives the schedules' values at a step of the whole run; they depend on nothing else.
func (r Robust) at(step, stepsAnEpoch int) stand {
	t := r.progress(step, stepsAnEpoch)
	s := stand{eps: r.EpsStart + (r.Eps-r.EpsStart)*t}
	if r.Schedule != "linear" {
		s.eps = r.EpsStart + (r.Eps-r.EpsStart)*smooth(t)
	}
	if r.KappaStart != nil && r.KappaEnd != nil {
		s.kappa = *r.KappaStart + (*r.KappaEnd-*r.KappaStart)*t
	}
	if r.Method == CrownIBP {
		s.beta = 1 + (r.BetaEnd-1)*t
	}
	return s
}

// progress is how much of the ramp is over, from 0 to 1.
func (r Robust) progress(step, stepsAnEpoch int) float64 {
	from, long := r.WarmUp*float64(stepsAnEpoch), *r.Ramp*float64(stepsAnEpoch)
	switch at := float64(step) - from; {
	case at >= long-rampRounding:
		return 1
	case at <= 0:
		return 0
	default:
		return at / long
	}
}

// rampRounding is what the product of an epoch's parts and its steps may be off, in steps: a ramp of 0.1 epochs of 30 steps ends at step 3.
const rampRounding = 1e-6

// smoothUntil is the share of a smooth ramp that grows with the fourth power; the rest is a line that goes on with its slope.
const smoothUntil = 0.25

// smooth takes [0,1] to [0,1]. Source: the smoothed schedule of Zhang et al. 2020's public code.
func smooth(t float64) float64 {
	c := 1 / (smoothUntil * smoothUntil * smoothUntil * (4 - 3*smoothUntil))
	if t < smoothUntil {
		return c * t * t * t * t
	}
	at := smoothUntil * smoothUntil * smoothUntil
	return math.Min(1, c*at*smoothUntil+4*c*at*(t-smoothUntil))
}

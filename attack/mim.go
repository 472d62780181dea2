package attack

import (
	"cmp"
	"context"
)

// MIM is BIM with momentum over normalised gradients. Dong et al. 2018.
type MIM struct {
	Steps int     `json:"steps"`          // 0 means 10
	Step  float64 `json:"step,omitempty"` // as a share of Eps; 0 means 1/Steps
	Decay float64 `json:"decay"`          // of the momentum; 0 means 1
	Loss  Kind    `json:"loss"`           // "" means CE
}

// Name implements Attack.
func (MIM) Name() string { return "mim" }

func (a MIM) run(ctx context.Context, j *job) error {
	a = a.settings(j.threat).(MIM)
	return climb{loss: a.Loss, steps: a.Steps, step: a.Step, decay: a.Decay}.run(ctx, j)
}

func (a MIM) settings(Threat) Attack {
	a.Steps, a.Decay, a.Loss = cmp.Or(a.Steps, 10), cmp.Or(a.Decay, 1), cmp.Or(a.Loss, CE)
	a.Step = cmp.Or(a.Step, 1/float64(a.Steps))
	return a
}

func (a MIM) with(e Effort) Attack {
	a.Steps, a.Step, a.Decay = e.Steps, e.Step, e.Decay
	return a
}

func (MIM) norms() []Norm { return []Norm{Linf, L2, L1} }

func (MIM) blind() bool { return false }

func (a MIM) numbers() Attack {
	a.Loss = Linear
	return a
}

package attack

import (
	"cmp"
	"context"
)

// PGD is projected gradient ascent from random starts. Madry et al. 2018.
type PGD struct {
	Steps    int     `json:"steps"`    // 0 means 40
	Step     float64 `json:"step"`     // as a share of Eps; 0 means 1/4
	Restarts int     `json:"restarts"` // 0 means 1
	Loss     Kind    `json:"loss"`     // "" means CE
	// FromSample starts the first run at the sample itself.
	FromSample bool `json:"from_sample,omitempty"`
}

// Name implements Attack.
func (PGD) Name() string { return "pgd" }

func (a PGD) run(ctx context.Context, j *job) error {
	a = a.settings(j.threat).(PGD)
	return climb{loss: a.Loss, steps: a.Steps, step: a.Step, random: true, restarts: a.Restarts, fromSample: a.FromSample}.run(ctx, j)
}

func (a PGD) settings(Threat) Attack {
	a.Steps, a.Step, a.Restarts, a.Loss = cmp.Or(a.Steps, 40), cmp.Or(a.Step, 0.25), cmp.Or(a.Restarts, 1), cmp.Or(a.Loss, CE)
	return a
}

func (a PGD) with(e Effort) Attack {
	a.Steps, a.Step, a.Restarts = e.Steps, e.Step, e.Restarts
	return a
}

func (PGD) norms() []Norm { return []Norm{Linf, L2, L1} }

func (PGD) blind() bool { return false }

func (a PGD) numbers() Attack {
	a.Loss = Linear
	return a
}

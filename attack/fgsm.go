package attack

import (
	"cmp"
	"context"
)

// FGSM is one step of Eps along the sign of the gradient (l2, l1: along the gradient). Goodfellow, Shlens and Szegedy 2015.
type FGSM struct {
	Loss Kind `json:"loss"` // "" means CE
}

// Name implements Attack.
func (FGSM) Name() string { return "fgsm" }

func (a FGSM) run(ctx context.Context, j *job) error {
	a = a.settings(j.threat).(FGSM)
	return climb{loss: a.Loss, steps: 1, step: 1}.run(ctx, j)
}

func (a FGSM) settings(Threat) Attack {
	a.Loss = cmp.Or(a.Loss, CE)
	return a
}

func (a FGSM) with(Effort) Attack { return a }

func (FGSM) norms() []Norm { return []Norm{Linf, L2, L1} }

func (FGSM) blind() bool { return false }

func (a FGSM) numbers() Attack {
	a.Loss = Linear
	return a
}

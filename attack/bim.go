package attack

import (
	"cmp"
	"context"
	"math"
)

// BIM is FGSM in small steps from the sample itself. Kurakin, Goodfellow and Bengio 2016.
type BIM struct {
	Steps int     `json:"steps"` // 0 means the paper's min(e+4, 1.25e), with e = 255*Eps
	Step  float64 `json:"step"`  // in pixel units; 0 means the paper's 1/255
	// Share, where above 0, is a step's length as a share of Eps instead.
	Share float64 `json:"share,omitempty"`
	Loss  Kind    `json:"loss"` // "" means CE
}

// Name implements Attack.
func (BIM) Name() string { return "bim" }

func (a BIM) run(ctx context.Context, j *job) error {
	a = a.settings(j.threat).(BIM)
	share := a.Share
	if share == 0 {
		share = a.Step / max(j.threat.Eps, 1e-30)
	}
	return climb{loss: a.Loss, steps: a.Steps, step: share}.run(ctx, j)
}

func (a BIM) settings(t Threat) Attack {
	e := 255 * t.Eps
	a.Steps = cmp.Or(a.Steps, max(1, int(math.Ceil(min(e+4, 1.25*e)))))
	a.Step, a.Loss = cmp.Or(a.Step, 1.0/255), cmp.Or(a.Loss, CE)
	return a
}

func (a BIM) with(e Effort) Attack {
	a.Steps, a.Share = e.Steps, e.Step
	return a
}

func (BIM) norms() []Norm { return []Norm{Linf, L2, L1} }

func (BIM) blind() bool { return false }

func (a BIM) numbers() Attack {
	a.Loss = Linear
	return a
}

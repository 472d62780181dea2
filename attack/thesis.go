package attack

import (
	"cmp"
	"context"
)

// Thesis is the protocol of "Certifying Properties of Deep Networks by Taking them into Shallow Waters": from a uniform start, 100 steps
// of Eps/2 away from the model's own prediction, whatever the label. The last point counts, also where an earlier one was classified
// wrongly, and samples that the model gets wrong take part: some become right.
type Thesis struct {
	Steps int     `json:"steps"` // 0 means 100
	Step  float64 `json:"step"`  // as a share of Eps; 0 means 1/2
}

// Name implements Attack.
func (Thesis) Name() string { return "thesis" }

// fromPrediction tells Run that labels do not matter to the search.
func (Thesis) fromPrediction() {}

func (a Thesis) run(ctx context.Context, j *job) error {
	a = a.settings(j.threat).(Thesis)
	return climb{steps: a.Steps, step: a.Step, random: true, last: true}.run(ctx, j)
}

func (a Thesis) settings(Threat) Attack {
	a.Steps, a.Step = cmp.Or(a.Steps, 100), cmp.Or(a.Step, 0.5)
	return a
}

func (a Thesis) with(e Effort) Attack {
	a.Steps, a.Step = e.Steps, e.Step
	return a
}

func (Thesis) norms() []Norm { return []Norm{Linf, L2, L1} }

func (Thesis) blind() bool { return false }

func (Thesis) numbers() Attack { return nil }

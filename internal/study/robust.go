package study

import (
	"github.com/shallow-waters/shoal/internal/numeral"
	"github.com/shallow-waters/shoal/student"
)

// Robust is robust training as package student does it; see student.Robust for the meaning of each number and of 0.
type Robust struct {
	Method      string        `yaml:"method" json:"method"`
	Eps         numeral.Real  `yaml:"eps" json:"eps"`
	EpsStart    numeral.Real  `yaml:"eps_start" json:"eps_start,omitempty"`
	WarmUp      numeral.Real  `yaml:"warm_up" json:"warm_up,omitempty"` // in epochs
	Ramp        *numeral.Real `yaml:"ramp" json:"ramp,omitempty"`       // in epochs
	Schedule    string        `yaml:"schedule" json:"schedule,omitempty"`
	Kappa       numeral.Reals `yaml:"kappa,flow" json:"kappa,omitempty"` // weight of the clean loss before and after the ramp
	BetaEnd     numeral.Real  `yaml:"beta_end" json:"beta_end,omitempty"`
	Projections int           `yaml:"projections" json:"projections,omitempty"` // of dual's training loss; 0: exact
	AttackSteps int           `yaml:"attack_steps" json:"attack_steps,omitempty"`
	Unbounded   bool          `yaml:"unbounded" json:"unbounded,omitempty"`
}

// student gives it as package student takes it.
func (r *Robust) student() *student.Robust {
	if r == nil {
		return nil
	}
	out := &student.Robust{Method: r.Method, Eps: float64(r.Eps), EpsStart: float64(r.EpsStart), WarmUp: float64(r.WarmUp), Ramp: float(r.Ramp),
		Schedule: r.Schedule, BetaEnd: float64(r.BetaEnd),
		Projections: r.Projections, AttackSteps: r.AttackSteps, Unbounded: r.Unbounded}
	if len(r.Kappa) == 2 {
		out.KappaStart, out.KappaEnd = &r.Kappa[0], &r.Kappa[1]
	}
	return out
}

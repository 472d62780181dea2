package study

import (
	"errors"

	"github.com/shallow-waters/shoal/student"
)

// Robust is robust training as package student does it; see student.Robust for the meaning of each number and of 0.
type Robust struct {
	Method   string    `yaml:"method" json:"method"`
	Eps      float64   `yaml:"eps" json:"eps"`
	EpsStart float64   `yaml:"eps_start" json:"eps_start,omitempty"`
	WarmUp   float64   `yaml:"warm_up" json:"warm_up,omitempty"` // in epochs
	Ramp     float64   `yaml:"ramp" json:"ramp,omitempty"`       // in epochs
	Kappa    []float64 `yaml:"kappa" json:"kappa,omitempty"`     // weight of the clean loss before and after the ramp
}

// Validate reports all faults.
func (r *Robust) Validate() error {
	if !(r.Eps > 0 && r.Eps <= 1) {
		return errors.New("eps: want more than 0 and at most 1")
	}
	return nil
}

// set puts robust training into a run's configuration.
func (r *Robust) set(_ *student.Config) error {
	if r == nil {
		return nil
	}
	return errors.New("this build has no robust training")
}

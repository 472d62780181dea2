package attack

import (
	"cmp"
	"context"
	"slices"
)

// Standard is AutoAttack's standard set with its published parameters, each attack on the samples that are left: APGD on the cross-entropy
// (100 steps), targeted APGD (9 targets, 100 steps), targeted FAB (9 targets, 100 steps), Square (5,000 queries). Croce and Hein 2020,
// section 5. A model without gradients gets Square alone.
type Standard struct {
	Queries int `json:"queries"` // of Square; 0 means 5000
	// Numbers makes it the set for outputs that are numbers: APGD on their distance (Away) and on one output at a time (Linear), and Square.
	Numbers bool `json:"numbers,omitempty"`
}

// Name implements Attack.
func (Standard) Name() string { return "standard" }

func (a Standard) run(ctx context.Context, j *job) error {
	set := a.Parts(j.threat.Norm, j.target.noGrad == nil)
	j.both = len(set) > 1
	name := j.name
	defer func() { j.name = name }()
	if err := j.twice(ctx); err != nil {
		return err
	}
	j.components = len(set)
	for i, s := range set {
		if len(j.open()) == 0 {
			return nil
		}
		j.name, j.component = s.Name(), i
		if err := s.run(ctx, j); err != nil {
			return err
		}
		j.over()
	}
	return nil
}

// Attacks are those of the set, in their order.
func (a Standard) Attacks() []Attack {
	if a.Numbers {
		return []Attack{APGD{Loss: Away, Restarts: 1}, APGD{Loss: Linear, Restarts: 1}, Square{Queries: a.Queries}}
	}
	return []Attack{APGD{Loss: CE, Restarts: 1}, APGD{Loss: DLRT, Restarts: 1}, FAB{}, Square{Queries: a.Queries}}
}

// Parts are those of the set that take part: for the norm, and, where a model has no gradients, without them.
func (a Standard) Parts(norm Norm, gradients bool) []Attack {
	return slices.DeleteFunc(a.Attacks(), func(part Attack) bool {
		return !gradients && !part.blind() || !slices.Contains(part.norms(), norm)
	})
}

func (a Standard) settings(Threat) Attack {
	a.Queries = cmp.Or(a.Queries, 5000)
	return a
}

func (a Standard) with(Effort) Attack { return a }

func (Standard) norms() []Norm { return []Norm{Linf, L2, L1} }

func (Standard) blind() bool { return false }

func (a Standard) numbers() Attack {
	a.Numbers = true
	return a
}

// twice runs a few samples again, to see whether the model is a function of its input.
func (j *job) twice(ctx context.Context) error {
	n := min(j.n, 8)
	x := j.samples.X[:n*j.size]
	a, err := j.target.Logits(ctx, x)
	if err != nil {
		return err
	}
	b, err := j.target.Logits(ctx, x)
	if err != nil {
		return err
	}
	for i, v := range a {
		if diff := v - b[i]; diff > 1e-3 || diff < -1e-3 {
			j.random = true
		}
	}
	return nil
}

package student

import (
	"context"
	"slices"

	"github.com/shallow-waters/shoal/student/tape"
)

// robustRun is what a Trainer has beside its graph where it trains robustly.
type robustRun struct {
	cfg         Robust
	adversarial *tape.Node // nil for methods without an attack
	attacker    *attacker  // likewise
	verifier    *verifier  // nil for pgd, and without validation data
	// whole keeps to one graph for all steps: running statistics follow one.
	whole bool
}

// buildRobust compiles the loss of the first step; the trainer's graph has its inputs.
func (t *Trainer) buildRobust() error {
	r := *t.cfg.Robust
	t.robust = &robustRun{cfg: r}
	if r.attacks() {
		t.robust.adversarial = t.builder.Input("adversarial", t.targets.X.Shape()...)
		var err error
		if t.robust.attacker, err = newAttacker(t); err != nil {
			return err
		}
	}
	if r.Method != PGD {
		if err := bounded(t.weights.stages, r.bound()); err != nil {
			return err
		}
		if t.valid != nil {
			var err error
			if t.robust.verifier, err = newVerifier(t); err != nil {
				return err
			}
		}
	}
	t.robust.whole = slices.ContainsFunc(t.weights.stages, func(s Stage) bool {
		return slices.ContainsFunc(s.Params, func(p Param) bool { return !p.Trained })
	})
	_, err := t.robust.program(t, r.at(0, 1))
	return err
}

// program says which graph a step needs, and compiles it where it is the first to.
func (r *robustRun) program(t *Trainer, at stand) (part, error) {
	which := r.cfg.partAt(at)
	if r.whole {
		which = partWhole
	}
	if t.programs[which] != nil {
		return which, nil
	}
	return which, t.compile(which, t.cfg.robustLoss(r.adversarial, which))
}

// prepare sets the schedules' knobs for a step, and makes its adversarial images. It gives the graph to run.
func (r *robustRun) prepare(ctx context.Context, s *Step) (part, error) {
	at := r.cfg.at(s.Global, s.StepsAnEpoch)
	which, err := r.program(s.trainer, at)
	if err != nil {
		return which, err
	}
	for name, v := range map[string]float64{knobEps: at.eps, knobKappa: at.kappa, knobBeta: at.beta} {
		s.trainer.builder.SetKnob(name, v) // where the program has it
	}
	if r.attacker == nil || which == partClean {
		return which, nil
	}
	t := s.trainer
	shape := t.arch.Input
	channelsFirst(t.pool, t.images, tape.Elements[float32](t.targets.X), t.cfg.Batch, shape)
	x, err := r.attacker.attack(ctx, t.images, s.Labels, at.eps, s.Epoch, s.Step)
	if err != nil {
		return which, err
	}
	channelsLast(t.pool, tape.Elements[float32](r.adversarial), x, t.cfg.Batch, shape)
	return which, nil
}

// score is the epoch's; steps are those of one epoch.
func (r *robustRun) score(ctx context.Context, t *Trainer, steps int) (*RobustScore, error) {
	at := r.cfg.at(t.at.Global-1, steps)
	s := &RobustScore{Eps: at.eps, Kappa: at.kappa, Beta: at.beta, Projections: r.cfg.Projections, Verified: -1, Attacked: -1}
	if t.valid == nil {
		return s, nil
	}
	var err error
	if r.verifier != nil {
		if s.Verified, err = r.verifier.share(ctx, t.valid); err != nil {
			return s, err
		}
	}
	if r.attacker != nil {
		s.Attacked, err = r.attacker.accuracy(ctx, t, t.valid)
	}
	return s, err
}

// over tells whether the ramp is over after so many steps: only then can weights be the best ones.
func (r *robustRun) over(global, steps int) bool {
	return r == nil || r.cfg.progress(global, steps) == 1
}

// inPixels tells whether all numbers lie in [0,1].
func (d *Data) inPixels() bool {
	return !slices.ContainsFunc(d.Inputs, func(v float32) bool { return !(v >= 0 && v <= 1) })
}

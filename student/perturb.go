package student

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// Perturbation says how images are moved for adversarial distillation: projected gradient ascent on the cross-entropy with the labels (the
// teacher's classes where there are none), from a random start, inside [0,1]. The last point counts.
type Perturbation struct {
	Eps   float64 `json:"eps"`             // radius in pixels, in (0,1]
	Step  float64 `json:"step,omitempty"`  // of a step, as a share of Eps; 0 means 1/5, the thesis'
	Steps int     `json:"steps,omitempty"` // 0 means 100
}

// Validate reports all faults.
func (p Perturbation) Validate() error {
	var faults []error
	if !(p.Eps > 0 && p.Eps <= 1) {
		faults = append(faults, fmt.Errorf("eps %v: want more than 0, and at most 1", p.Eps))
	}
	if !(p.Step >= 0) || math.IsInf(p.Step, 0) {
		faults = append(faults, fmt.Errorf("step %v: want a share of eps, more than 0", p.Step))
	}
	if p.Steps < 0 || p.Steps > 1<<16 {
		faults = append(faults, fmt.Errorf("%d steps: want at least 1", p.Steps))
	}
	return errors.Join(faults...)
}

// robust gives it as training's attack takes it.
func (p Perturbation) robust() Robust {
	r := Robust{Method: PGD, Eps: p.Eps, StepSize: p.Step, AttackSteps: p.Steps}
	if r.StepSize == 0 {
		r.StepSize = 0.2
	}
	if r.AttackSteps == 0 {
		r.AttackSteps = 100
	}
	return r
}

// perturbBatch is how many images are moved together.
const perturbBatch = 64

// Perturb moves every image of the data so that a network, an architecture with weights of its own (FromGraph), gets it wrong. Labels and
// logits stay: they are those of the images as they were. It is the static form of adversarial distillation; the seed chooses the starts.
func Perturb(ctx context.Context, a *Architecture, d *Data, p Perturbation, seed uint64, threads int) (*Data, error) {
	if err := errors.Join(a.Validate(), p.Validate(), d.whole()); err != nil {
		return nil, err
	}
	if len(a.start) == 0 {
		return nil, errors.New("perturbing: the architecture has no weights")
	}
	some := *d
	some.Classes = a.Classes()
	t, err := Open(a, &some, nil, Config{Epochs: 1, Batch: min(perturbBatch, d.Len()), Seed: seed, Threads: threads}, Options{})
	if err != nil {
		return nil, err
	}
	at, err := t.attackerOf(p)
	if err != nil {
		return nil, err
	}
	return at.move(ctx, t, &some, p.Eps, 0)
}

// attackerOf makes an attacker of a trainer's network.
func (t *Trainer) attackerOf(p Perturbation) (*attacker, error) {
	if t.cfg.Numbers {
		return nil, errors.New("perturbing: images are moved until their class is wrong, and numbers decide none")
	}
	a, err := t.Adversary(labelled)
	if err != nil {
		return nil, err
	}
	return &attacker{cfg: p.robust(), seed: t.cfg.Seed, adversary: a, out: make([]float32, len(t.images))}, nil
}

// move gives the data with every image moved; round gives it random numbers of its own.
func (a *attacker) move(ctx context.Context, t *Trainer, d *Data, eps float64, round int) (*Data, error) {
	n, size := t.cfg.Batch, d.Size()
	x, labels := make([]float32, n*size), make([]int, n)
	out := &Data{Shape: d.Shape, Classes: d.Classes, Labels: d.Labels, Logits: d.Logits}
	for from := 0; from < d.Len(); from += n {
		some := min(n, d.Len()-from)
		for i := range n {
			at := from + min(i, some-1) // the last one fills the batch
			d.Sample(x[i*size:(i+1)*size], at)
			labels[i] = d.label(at)
		}
		moved, err := a.attack(ctx, x, labels, eps, round, from/n)
		if err != nil {
			return nil, err
		}
		out.Inputs = append(out.Inputs, moved[:some*size]...)
	}
	return out, nil
}

// OnTheFly is Options.Before for the other form of adversarial distillation: behind every epoch all images of the data, which is the run's own
// training data, are moved again, from where they are by then, against the student as it stands. So perturbations add up beyond Eps, as in the
// thesis. A run with it is not to be resumed: the images are not in the checkpoint.
func OnTheFly(d *Data, p Perturbation) func(context.Context, *Step) error {
	var now *Data
	var at *attacker
	return func(ctx context.Context, s *Step) error {
		if s.Epoch > 0 && s.Step == 0 {
			if now == nil {
				now = d
			}
			var err error
			if at == nil {
				if at, err = s.trainer.attackerOf(p); err != nil {
					return err
				}
			}
			if now, err = at.move(ctx, s.trainer, now, p.Eps, s.Epoch); err != nil {
				return err
			}
		}
		if now == nil {
			return nil
		}
		size := now.Size()
		for i, k := range s.Index {
			now.Sample(s.Inputs[i*size:(i+1)*size], k)
		}
		return nil
	}
}

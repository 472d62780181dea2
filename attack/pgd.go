package attack

import (
	"cmp"
	"context"
	"math"
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

// BIM is FGSM in small steps from the sample itself. Kurakin, Goodfellow and Bengio 2016.
type BIM struct {
	Steps int     `json:"steps"` // 0 means the paper's min(e+4, 1.25e), with e = 255*Eps
	Step  float64 `json:"step"`  // in pixel units; 0 means the paper's 1/255
	Loss  Kind    `json:"loss"`  // "" means CE
}

// Name implements Attack.
func (BIM) Name() string { return "bim" }

func (a BIM) run(ctx context.Context, j *job) error {
	a = a.settings(j.threat).(BIM)
	return climb{loss: a.Loss, steps: a.Steps, step: a.Step / max(j.threat.Eps, 1e-30)}.run(ctx, j)
}

func (a BIM) settings(t Threat) Attack {
	e := 255 * t.Eps
	a.Steps = cmp.Or(a.Steps, max(1, int(math.Ceil(min(e+4, 1.25*e)))))
	a.Step, a.Loss = cmp.Or(a.Step, 1.0/255), cmp.Or(a.Loss, CE)
	return a
}

// MIM is BIM with momentum over normalised gradients. Dong et al. 2018.
type MIM struct {
	Steps int     `json:"steps"` // 0 means 10
	Decay float64 `json:"decay"` // of the momentum; 0 means 1
	Loss  Kind    `json:"loss"`  // "" means CE
}

// Name implements Attack.
func (MIM) Name() string { return "mim" }

func (a MIM) run(ctx context.Context, j *job) error {
	a = a.settings(j.threat).(MIM)
	return climb{loss: a.Loss, steps: a.Steps, step: 1 / float64(a.Steps), decay: a.Decay}.run(ctx, j)
}

func (a MIM) settings(Threat) Attack {
	a.Steps, a.Decay, a.Loss = cmp.Or(a.Steps, 10), cmp.Or(a.Decay, 1), cmp.Or(a.Loss, CE)
	return a
}

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

// climb is what the attacks of this file share: steps along the gradient, each followed by a projection.
type climb struct {
	loss       Kind
	steps      int
	step       float64 // as a share of eps
	decay      float64 // of the momentum; 0 for none
	random     bool
	fromSample bool
	restarts   int
	last       bool // only the last point counts, away from the clean prediction
}

func (a climb) run(ctx context.Context, j *job) error {
	if a.loss == "" {
		a.loss = CE
	}
	loss := &Loss{Kind: a.loss}
	j.begin(max(a.restarts, 1) * a.steps)
	for restart := range max(a.restarts, 1) {
		idx := j.open()
		if len(idx) == 0 {
			return nil
		}
		d, momentum := j.zeros(len(idx)), j.zeros(0)
		if a.decay != 0 {
			momentum = j.zeros(len(idx))
		}
		if a.random && !(a.fromSample && restart == 0) {
			for r, i := range idx {
				j.start(i, d[r], j.rng(i, "start"+string(rune('0'+restart))))
			}
		}
		step := make([]float32, j.size)
		for range a.steps {
			j.tick()
			class := j.lossClasses(idx)
			if a.last {
				for r, i := range idx {
					class[r] = j.clean[i]
				}
			}
			var other []int
			if loss.Kind.targeted() {
				other = class
			}
			s, err := j.slopes(ctx, loss, idx, d, class, other, false)
			if err != nil {
				return err
			}
			for r, i := range idx {
				g := s.Gradient[r*j.size : (r+1)*j.size]
				if a.decay != 0 {
					m, length := momentum[r], L1.norm(g)
					for k, v := range g {
						m[k] = float32(a.decay) * m[k]
						if length > 0 {
							m[k] += float32(float64(v) / length)
						}
					}
					g = m
				}
				j.threat.Norm.steepest(step, g)
				move := j.signFor(i) * float32(a.step*j.threat.Eps)
				for k, v := range step {
					d[r][k] += move * v
				}
				j.clip(i, d[r], false)
			}
			if !a.last {
				idx, d, momentum = j.stillOpen(idx, d, momentum)
				if len(idx) == 0 {
					break
				}
			}
		}
		if a.last { // what was found on the way does not count
			for _, i := range idx {
				j.found[i], j.point[i] = false, nil
			}
		}
		if len(idx) > 0 {
			if _, err := j.outputs(ctx, idx, d, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// stillOpen drops the samples that are broken, with their rows.
func (j *job) stillOpen(idx []int, rows ...[][]float32) ([]int, [][]float32, [][]float32) {
	var left []int
	kept := make([][][]float32, 2)
	for r, i := range idx {
		if j.found[i] {
			continue
		}
		left = append(left, i)
		for k, list := range rows {
			if len(list) > 0 {
				kept[k] = append(kept[k], list[r])
			}
		}
	}
	return left, kept[0], kept[1]
}

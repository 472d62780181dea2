package student

import (
	"context"

	"github.com/shallow-waters/shoal/student/tape"
)

// attacker makes adversarial images for a trainer: projected gradient descent on the cross-entropy with the labels, from a random start, with
// steps of a share of the radius along the gradient's signs, inside the ball and, where it is cut, inside [0,1]. The last point counts, not
// the worst. Source: Madry et al. 2018, "Towards Deep Learning Models Resistant to Adversarial Attacks", section 2.1.
type attacker struct {
	cfg       Robust
	seed      uint64
	adversary *Adversary
	out       []float32
}

func newAttacker(t *Trainer) (*attacker, error) {
	a, err := t.Adversary(labelled)
	if err != nil {
		return nil, err
	}
	return &attacker{cfg: *t.cfg.Robust, seed: t.cfg.Seed, adversary: a, out: make([]float32, len(t.images))}, nil
}

// labelled is the cross-entropy with the labels.
func labelled(n *Network, t Targets) *tape.Node { return CrossEntropy(n.B, n.Forward(t.X), t.Labels) }

// attack gives adversarial images [N,C,H,W] of a batch, which the next call overwrites. The random start depends on the seed, the epoch, the
// step and the place in the batch.
func (a *attacker) attack(ctx context.Context, images []float32, labels []int, eps float64, epoch, step int) ([]float32, error) {
	pool, radius := a.adversary.t.pool, float32(eps)
	size := len(images) / len(labels)
	pool.Each(len(labels), 8, func(_, from, to int) {
		for i := from; i < to; i++ {
			rng := stream(a.seed, purposeAttack, epoch<<20+step, i)
			for k := i * size; k < (i+1)*size; k++ {
				a.out[k] = a.inside(images[k], images[k]+radius*(2*rng.Float32()-1), radius)
			}
		}
	})
	length := radius * float32(a.cfg.StepSize)
	for range a.cfg.AttackSteps {
		_, dx, err := a.adversary.Gradient(ctx, a.out, labels, nil)
		if err != nil {
			return nil, err
		}
		pool.Each(len(dx), tape.ElementsEach, func(_, from, to int) {
			for k := from; k < to; k++ {
				x := a.out[k]
				switch {
				case dx[k] > 0:
					x += length
				case dx[k] < 0:
					x -= length
				}
				a.out[k] = a.inside(images[k], x, radius)
			}
		})
	}
	return a.out, nil
}

// inside moves a pixel to the nearest of the ball around its image's.
func (a *attacker) inside(image, x, radius float32) float32 {
	x = max(image-radius, min(image+radius, x))
	if a.cfg.Unbounded {
		return x
	}
	return max(0, min(1, x))
}

// accuracy is the share of the data's samples that the attack leaves right.
func (a *attacker) accuracy(ctx context.Context, t *Trainer, d *Data) (float64, error) {
	hard, err := a.move(ctx, t, d, a.cfg.Eps, scoreEpoch)
	if err != nil {
		return 0, err
	}
	hard.Labels, hard.Logits = nil, nil
	for i := range d.Len() {
		hard.Labels = append(hard.Labels, d.label(i))
	}
	s, err := score(ctx, t.arch, t.weights, t.cfg, hard)
	return s.Accuracy, err
}

// scoreEpoch gives validation random numbers that no epoch of training has, and every validation the same.
const scoreEpoch = 1<<12 - 1

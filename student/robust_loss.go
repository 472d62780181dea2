package student

import (
	"context"
	"math"

	"github.com/shallow-waters/shoal/student/tape"
)

// The knobs of robust losses.
const (
	knobEps   = "eps"
	knobKappa = "kappa"
	knobBeta  = "beta"
)

// part says what of a robust loss a graph computes: where a weight is 0, its term is left out.
type part int

const (
	partWhole        part = iota
	partClean             // kappa is 1
	partHard              // kappa is 0
	partInterval          // beta is 0
	partHardInterval      // both are
)

// lowerMargins bounds the margins [N*K] from below over the ball around x.
func (c Config) lowerMargins(n *Network, m margin, x *tape.Node, p part) *tape.Node {
	b, r := n.B, c.Robust
	box := ballAround(b, x, b.Knob(knobEps), r.Unbounded)
	if r.Method == Dual {
		return n.dualMargins(m, box, r.Projections)
	}
	inner := n.intervals(box)
	lower := n.intervalMargins(m, inner.last)
	if r.Method == CrownIBP && p != partInterval && p != partHardInterval {
		beta := b.Knob(knobBeta)
		lower = mixed(b, beta, n.crownMargins(m, inner), lower)
	}
	return lower
}

// mixed is s x + (1-s) y.
func mixed(b *tape.Builder, s, x, y *tape.Node) *tape.Node {
	return b.Add(b.ScaleBy(s, x), b.ScaleBy(b.Shift(1, b.Scale(-1, s)), y))
}

// robustLoss is the loss of a step; adversarial [N,H,W,C] are the images of the attack, nil for methods without one.
func (c Config) robustLoss(adversarial *tape.Node, p part) Loss {
	r := c.Robust
	return func(n *Network, t Targets) *tape.Node {
		b := n.B
		clean := func() *tape.Node { return c.LossOf(b, n.Forward(t.X), t) }
		worst := func() *tape.Node {
			m := n.margins(t.Labels)
			return CrossEntropy(b, n.worst(m, c.lowerMargins(n, m, t.X, p)), t.Labels)
		}
		if p == partClean {
			return clean()
		}
		var hard *tape.Node
		switch r.Method {
		case PGD:
			hard = c.LossOf(b, n.Forward(adversarial), t)
		case Mixture:
			soft := divergence(b, t.Teacher, n.Forward(adversarial), r.Temperature)
			return b.Add(b.Scale(*r.Alpha, worst()), b.Scale(1-*r.Alpha, soft))
		default:
			hard = worst()
		}
		if p == partHard || p == partHardInterval {
			return hard
		}
		return mixed(b, b.Knob(knobKappa), clean(), hard)
	}
}

// divergence is T² KL(softmax(teacher/T), softmax(student/T)), the mean over the batch.
func divergence(b *tape.Builder, teacher, student *tape.Node, temperature float64) *tape.Node {
	p := b.LogSoftmax(b.Scale(1/temperature, teacher))
	q := b.LogSoftmax(b.Scale(1/temperature, student))
	return b.Scale(temperature*temperature/float64(teacher.Shape()[0]), b.Sum(b.Mul(b.Exp(p), b.Sub(p, q))))
}

// partAt is the smallest graph that a step's loss needs.
func (r Robust) partAt(s stand) part {
	interval := r.Method == CrownIBP && s.beta == 0
	switch {
	case r.Method == Mixture:
		return partWhole
	case s.kappa == 1:
		return partClean
	case s.kappa == 0 && interval:
		return partHardInterval
	case s.kappa == 0:
		return partHard
	case interval:
		return partInterval
	}
	return partWhole
}

// RobustScore is how a student stands in the ball at the end of an epoch.
type RobustScore struct {
	// Eps, Kappa and Beta are the schedules' values at the epoch's last step.
	Eps   float64 `json:"eps"`
	Kappa float64 `json:"kappa"`
	Beta  float64 `json:"beta,omitempty"`
	// Projections are those by which the epoch's training loss was estimated; 0 where it was not. Verified never is an estimate.
	Projections int `json:"projections,omitempty"`
	// Verified is the share of the validation samples of which the training's own bounds prove the label at the full radius, in float32 and
	// without regard to rounding; -1 where the method has none.
	Verified float64 `json:"verified"`
	// Attacked is the share that the training's own attack leaves right at the full radius; -1 where the method has none.
	Attacked float64 `json:"attacked"`
}

// verifier counts what a student's bounds prove.
type verifier struct {
	t       *Trainer
	images  []float32
	targets Targets
	lower   *tape.Node
	machine *tape.Machine
}

func newVerifier(t *Trainer) (*verifier, error) {
	b := tape.NewBuilder[float32](t.pool)
	n, k := t.cfg.Batch, t.train.Classes
	c, h, w := t.arch.Input[0], t.arch.Input[1], t.arch.Input[2]
	v := &verifier{t: t, images: make([]float32, n*c*h*w), targets: Targets{X: b.Input("images", n, h, w, c), Labels: b.Input("labels", n, k)}}
	net := newNetwork(b, t.weights)
	exact, robust := t.cfg, *t.cfg.Robust
	robust.Projections = 0 // an estimate proves nothing
	exact.Robust = &robust
	p := partWhole
	if t.cfg.Robust.BetaEnd == 0 {
		p = partInterval
	}
	v.lower = exact.lowerMargins(net, net.margins(v.targets.Labels), v.targets.X, p)
	b.SetKnob(knobEps, t.cfg.Robust.Eps)
	b.SetKnob(knobBeta, t.cfg.Robust.BetaEnd)
	var err error
	v.machine, err = tape.NewMachine(b, v.lower)
	return v, err
}

// share is the share of the data's samples that are verified.
func (v *verifier) share(ctx context.Context, d *Data) (float64, error) {
	n, k, size := v.t.cfg.Batch, d.Classes, d.Size()
	proven := 0
	for from := 0; from < d.Len(); from += n {
		some := min(n, d.Len()-from)
		oneHot := tape.Elements[float32](v.targets.Labels)
		clear(oneHot)
		for i := range n {
			at := from + min(i, some-1) // the last one fills the batch
			d.Sample(v.images[i*size:(i+1)*size], at)
			oneHot[i*k+d.label(at)] = 1
		}
		channelsLast(v.t.pool, tape.Elements[float32](v.targets.X), v.images, n, v.t.arch.Input)
		if err := v.machine.Run(ctx); err != nil {
			return 0, err
		}
		lower := tape.Elements[float32](v.lower)
		for i := range some {
			least := math.Inf(1)
			for j := range k {
				if j != d.label(from+i) {
					least = min(least, float64(lower[i*k+j]))
				}
			}
			if least > 0 {
				proven++
			}
		}
	}
	return float64(proven) / float64(d.Len()), nil
}

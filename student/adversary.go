package student

import (
	"context"
	"fmt"

	"github.com/shallow-waters/shoal/student/tape"
)

// Adversary gives the gradient of a loss in the images, at a trainer's weights as they stand: what adversarial training needs between steps
// (Options.Before). It sees the network as training does: batch normalisation takes the batch's own moments, dropout the step's masks.
type Adversary struct {
	t       *Trainer
	net     *Network
	targets Targets
	loss    *tape.Node
	dx      *tape.Node
	machine *tape.Machine
	out     []float32
}

// Adversary builds one for batches of the trainer's size. It shares the trainer's weights and workers: not to be used while a step runs.
func (t *Trainer) Adversary(loss Loss) (a *Adversary, err error) {
	defer func() { // see Trainer.build
		if r := recover(); r != nil {
			err = fmt.Errorf("adversary's graph: %v", r)
		}
	}()
	b := tape.NewBuilder[float32](t.pool)
	n, k := t.cfg.Batch, t.train.Classes
	c, h, w := t.arch.Input[0], t.arch.Input[1], t.arch.Input[2]
	a = &Adversary{t: t, net: newNetwork(b, t.weights), out: make([]float32, n*c*h*w)}
	a.net.noise = t.net.noise
	a.targets = Targets{X: b.Input("images", n, h, w, c), Labels: b.Input("labels", n, k), Teacher: b.Input("teacher", n, k)}
	a.loss = loss(a.net, a.targets)
	if a.dx = b.Gradient(a.loss, a.targets.X)[0]; a.dx == nil {
		return nil, fmt.Errorf("adversary: the loss does not depend on the images")
	}
	a.machine, err = tape.NewMachine(b, a.loss, a.dx)
	return a, err
}

// Gradient computes the loss of images [N,C,H,W] and its gradient in them, which the next call overwrites. labels are classes; teacher holds
// logits [N,K], or is nil where the loss does not look at them.
func (a *Adversary) Gradient(ctx context.Context, images []float32, labels []int, teacher []float32) (loss float64, dx []float32, err error) {
	n, k := a.t.cfg.Batch, a.t.train.Classes
	if len(images) != len(a.out) || len(labels) != n || teacher != nil && len(teacher) != n*k {
		return 0, nil, fmt.Errorf("adversary: %d numbers, %d labels, %d logits for a batch of %d", len(images), len(labels), len(teacher), n)
	}
	channelsLast(a.t.pool, tape.Elements[float32](a.targets.X), images, n, a.t.arch.Input)
	oneHot := tape.Elements[float32](a.targets.Labels)
	clear(oneHot)
	for i, l := range labels {
		if l < 0 || l >= k {
			return 0, nil, fmt.Errorf("adversary: label %d of %d classes", l, k)
		}
		oneHot[i*k+l] = 1
	}
	copy(tape.Elements[float32](a.targets.Teacher), teacher)
	if err := a.machine.Run(ctx); err != nil {
		return 0, nil, err
	}
	channelsFirst(a.t.pool, a.out, tape.Elements[float32](a.dx), n, a.t.arch.Input)
	return float64(tape.Elements[float32](a.loss)[0]), a.out, nil
}

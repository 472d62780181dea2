package student

import (
	"context"
	"math"
	"testing"

	"github.com/shallow-waters/shoal/student/tape"
)

// TestAdversaryAndHookChangeTheBatch makes adversarial steps: the loss must be higher at the images that the hook has moved, and a knob must
// reach the loss.
func TestAdversaryAndHookChangeTheBatch(t *testing.T) {
	a := mustParse(t, "{input: [2, 6, 6], layers: [{conv: 4, kernel: 3, relu: true}, {dense: 3}]}")
	d := blobs(a.Input, 3, 64, 1)
	loss := func(n *Network, tg Targets) *tape.Node {
		return n.B.ScaleBy(n.B.Knob("weight"), CrossEntropy(n.B, n.Forward(tg.X), tg.Labels))
	}
	steps := 0
	var tr *Trainer
	var before float64
	o := Options{Loss: loss, LossName: "weighted", Before: func(ctx context.Context, s *Step) error {
		steps++
		adv, err := s.Trainer().Adversary(Config{}.loss())
		if err != nil {
			return err
		}
		var dx []float32
		if before, dx, err = adv.Gradient(ctx, s.Inputs, s.Labels, nil); err != nil {
			return err
		}
		for i, g := range dx {
			s.Inputs[i] = min(1, max(0, s.Inputs[i]+float32(math.Copysign(0.02, float64(g)))))
		}
		if err := s.Set("nothing", 1); err == nil {
			t.Error("a knob that is not there was set")
		}
		return s.Set("weight", 3)
	}, Progress: func(p Progress) {
		if p.Loss < 3*before*1.01 {
			t.Errorf("step %d: the loss is %v, three times that before was %v", p.Step, p.Loss, 3*before)
		}
	}}
	var err error
	if tr, err = Open(a, d, nil, Config{Batch: 32, Epochs: 2}, o); err != nil {
		t.Fatal(err)
	}
	if _, err := tr.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if steps != 4 {
		t.Errorf("%d steps", steps)
	}
}

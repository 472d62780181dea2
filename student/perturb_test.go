package student

import (
	"context"
	"math"
	"testing"
)

// TestPerturbedImagesLieInTheBallAndAreWrong trains a network, moves its images and looks where they are and what it says of them.
func TestPerturbedImagesLieInTheBallAndAreWrong(t *testing.T) {
	a, d := toyTask(t)
	r, err := Train(context.Background(), a, d, nil, Config{Epochs: 12, Batch: 16, LearningRate: 0.01}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := r.Model()
	if err != nil {
		t.Fatal(err)
	}
	with, err := FromGraph(m.Graph)
	if err != nil {
		t.Fatal(err)
	}
	share := func(x *Data) float64 {
		s, err := score(context.Background(), r.Architecture, r.Weights, Config{Threads: 1}, x)
		if err != nil {
			t.Fatal(err)
		}
		return s.Accuracy
	}
	p := Perturbation{Eps: 0.3, Steps: 10}
	moved, err := Perturb(context.Background(), with, d, p, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	most := 0.0
	x, y := make([]float32, d.Size()), make([]float32, d.Size())
	for i := range d.Labels {
		d.Sample(x, i)
		moved.Sample(y, i)
		for k := range x {
			most = max(most, math.Abs(float64(x[k]-y[k])))
			if y[k] < 0 || y[k] > 1 {
				t.Fatalf("pixel %v", y[k])
			}
		}
	}
	if most > p.Eps+1e-6 || most < p.Eps/2 {
		t.Errorf("pixels move by up to %v of %v", most, p.Eps)
	}
	if before, after := share(d), share(moved); !(after < before-0.2) {
		t.Errorf("accuracy %v before and %v after", before, after)
	}
	if _, err := Perturb(context.Background(), a, d, p, 0, 1); err == nil {
		t.Error("an architecture without weights is attacked")
	}
	if _, err := Perturb(context.Background(), with, d, Perturbation{}, 0, 1); err == nil {
		t.Error("a perturbation of 0 is taken")
	}
}

// TestOnTheFlyPerturbationsAddUp looks at what each epoch is given: the images themselves first, then images that go farther than the radius.
func TestOnTheFlyPerturbationsAddUp(t *testing.T) {
	a, d := toyTask(t)
	p := Perturbation{Eps: 0.05, Steps: 3}
	hook := OnTheFly(d, p)
	far := map[int]float64{}
	x := make([]float32, d.Size())
	before := func(ctx context.Context, s *Step) error {
		if err := hook(ctx, s); err != nil {
			return err
		}
		for i, k := range s.Index {
			d.Sample(x, k)
			for j, v := range x {
				far[s.Epoch] = max(far[s.Epoch], math.Abs(float64(v-s.Inputs[i*d.Size()+j])))
			}
		}
		return nil
	}
	stop := func(e Epoch) bool { return e.Epoch == 4 }
	r, err := Train(context.Background(), a, d, d, Config{Epochs: 9, Batch: 16}, Options{Before: before, Stop: stop})
	if err != nil {
		t.Fatal(err)
	}
	if far[0] != 0 || far[1] < 0.02 || far[1] > 0.0501 || far[3] < 0.06 {
		t.Errorf("distances by epoch: %v", far)
	}
	if r.Stopped != "stopped" || len(r.History) != 4 {
		t.Errorf("%s after %d epochs", r.Stopped, len(r.History))
	}
}

// toyTask is a small network and images in [0,1] that it can tell apart.
func toyTask(t *testing.T) (*Architecture, *Data) {
	t.Helper()
	a := mustParse(t, `{input: [1, 6, 6], layers: [{conv: 4, kernel: 3, relu: true}, {dense: 8, relu: true}, {dense: 3}]}`)
	d := blobs(a.Input, 3, 96, 5)
	for i, v := range d.Inputs {
		d.Inputs[i] = min(max(0.5+0.2*v, 0), 1)
	}
	return a, d
}

package student

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestSchedules(t *testing.T) {
	end := 0.2
	for _, schedule := range []string{"smooth", "linear"} {
		r := Robust{Method: CrownIBP, Eps: 0.1, EpsStart: 0.02, WarmUp: 1.5, Ramp: new(4.0), Schedule: schedule, KappaEnd: &end}.withDefaults(10)
		last := r.at(0, 10)
		if last != (stand{eps: 0.02, kappa: 1, beta: 1}) {
			t.Errorf("%s begins with %+v", schedule, last)
		}
		for step := range 100 {
			s := r.at(step, 10)
			switch {
			case step <= 15 && s != last:
				t.Errorf("%s: step %d of the warm-up has %+v", schedule, step, s)
			case step > 15 && step <= 55 && !(s.eps > last.eps && s.kappa < last.kappa && s.beta < last.beta):
				t.Errorf("%s: step %d of the ramp has %+v after %+v", schedule, step, s, last)
			case step >= 55 && (s.eps != 0.1 || math.Abs(s.kappa-0.2) > 1e-15 || s.beta != 0):
				t.Errorf("%s: step %d after the ramp has %+v", schedule, step, s)
			}
			if math.Abs(s.eps-last.eps) > 0.1/20 {
				t.Errorf("%s: the radius jumps from %v to %v", schedule, last.eps, s.eps)
			}
			last = s
		}
	}
	thesis := Robust{Method: Dual, Eps: 0.01, EpsStart: 0.001, Schedule: "linear", Unbounded: true}.withDefaults(20)
	for epoch, want := range map[int]float64{0: 0.001, 5: 0.0055, 10: 0.01, 19: 0.01} {
		if got := thesis.at(epoch*100, 100).eps; math.Abs(got-want) > 1e-12 {
			t.Errorf("the thesis' ramp has radius %v at the start of epoch %d, not %v", got, epoch, want)
		}
	}
	r := Robust{Method: IBP, Eps: 0.1, EpsStart: 0.1}.withDefaults(10)
	if at := r.at(0, 5); *r.Ramp != 0 || at.eps != 0.1 || at.kappa != 0.5 {
		t.Errorf("a run without a ramp begins at %+v", at)
	}
	for steps := range 100 { // parts of epochs that add up to a whole
		r := Robust{WarmUp: 0.7, Ramp: new(3.3)}
		if r.progress(4*steps, steps) != 1 {
			t.Errorf("with %d steps in an epoch a ramp until the fourth is not over then", steps)
		}
	}
}

func TestCooldown(t *testing.T) {
	c := Config{Epochs: 4, LearningRate: 1, Cooldown: 2}
	for step, want := range map[int]float64{0: 1, 20: 1, 30: 0.505, 40: 0.01} {
		if got := c.rate(step, 10); math.Abs(got-want) > 1e-12 {
			t.Errorf("rate %v at step %d, want %v", got, step, want)
		}
	}
}

func TestRobustConfigFaults(t *testing.T) {
	one, two := 1.0, 2.0
	for want, r := range map[string]Robust{
		"method":                            {Method: "best", Eps: 0.1},
		"eps 0":                             {Method: IBP},
		"eps start":                         {Method: IBP, Eps: 0.1, EpsStart: 0.2},
		"epochs of warm":                    {Method: IBP, Eps: 0.1, WarmUp: 8, Ramp: new(8.0)},
		"9 epochs of warm-up and 5 of ramp": {Method: IBP, Eps: 0.1, WarmUp: 9},
		"schedule":                          {Method: IBP, Eps: 0.1, Schedule: "steep"},
		"kappa: want":                       {Method: IBP, Eps: 0.1, KappaEnd: &two},
		"no beta":                           {Method: IBP, Eps: 0.1, BetaEnd: 0.5},
		"no alpha":                          {Method: IBP, Eps: 0.1, Alpha: &one},
		"no kappa":                          {Method: Mixture, Eps: 0.1, KappaEnd: &one},
		"attacks nothing": {Method: Dual, Eps: 0.1,
			AttackSteps: 3},
		"no projections": {Method: IBP, Eps: 0.1, Projections: 10},
		"want 3 to 1024": {Method: Dual, Eps: 0.1, Projections: 2},
		"NaN":            {Method: IBP, Eps: math.NaN()},
	} {
		err := Config{Robust: &r}.Validate()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want %q in it", r, err, want)
		}
	}
}

func TestRobustTrainingRefusesLayersWithoutBounds(t *testing.T) {
	a := mustParse(t, everyLayer)
	d := blobs(a.Input, 3, 64, 1)
	for _, method := range []string{IBP, CrownIBP, Dual} {
		_, err := Open(a, d, nil, Config{Batch: 32, Robust: &Robust{Method: method, Eps: 0.1}}, Options{})
		var bounds *BoundsError
		if !errors.As(err, &bounds) || bounds.Layer != "batchnorm1" {
			t.Errorf("%s: error %v", method, err)
		}
	}
}

func TestRobustTrainingRefusesPixelsBeyondItsBox(t *testing.T) {
	a := mustParse(t, "{input: [1, 3, 3], layers: [{dense: 3}]}")
	d := blobs(a.Input, 3, 64, 1)
	d.Inputs[7] = 1.5
	r := &Robust{Method: IBP, Eps: 0.1}
	if _, err := Open(a, d, nil, Config{Batch: 32, Robust: r}, Options{}); err == nil || !strings.Contains(err.Error(), "must be unbounded") {
		t.Errorf("error %v", err)
	}
	r.Unbounded = true
	if _, err := Open(a, d, nil, Config{Batch: 32, Robust: r}, Options{}); err != nil {
		t.Error(err)
	}
}

const robustSmall = `
input: [1, 6, 6]
layers:
  - {conv: 4, kernel: 3, stride: 2, padding: 1, relu: true}
  - {dense: 10, relu: true}
  - {dense: 3}
`

// TestRobustTrainingRaisesItsMeasure: every method, from the same start, beside training without it.
func TestRobustTrainingRaisesItsMeasure(t *testing.T) {
	a := mustParse(t, robustSmall)
	all := blobs(a.Input, 3, 800, 1)
	train, valid := Split(all, 0.2, 3)
	cfg := Config{Epochs: 14, Batch: 32, LearningRate: 5e-3}
	plain, err := Train(context.Background(), a, train, valid, cfg, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, method := range Methods() {
		cfg := cfg
		cfg.Robust = &Robust{Method: method, Eps: 0.1, Ramp: new(5.0), WarmUp: 2}
		tr, err := Open(a, train, valid, cfg, Options{})
		if err != nil {
			t.Fatal(err)
		}
		copy(tr.weights.Flat, plain.Weights.Flat)
		before, err := tr.robust.score(context.Background(), tr, 1)
		if err != nil {
			t.Fatal(err)
		}
		copy(tr.weights.Flat, newStart(t, a))
		r, err := tr.Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		after := r.History[r.BestEpoch-1].Robust
		was, is := before.Verified, after.Verified
		if method == PGD {
			was, is = before.Attacked, after.Attacked
		}
		if is < was+0.05 || is < 0.4 {
			t.Errorf("%s: %v before, %v after", method, was, is)
		}
		if after.Verified > after.Attacked && after.Attacked >= 0 {
			t.Errorf("%s: %v verified, %v under attack", method, after.Verified, after.Attacked)
		}
		if r.BestEpoch < 7 || after.Eps < 0.0999 {
			t.Errorf("%s: the best epoch is %d, at radius %v", method, r.BestEpoch, after.Eps)
		}
	}
}

// newStart are the weights that a run of seed 0 begins with.
func newStart(t *testing.T, a *Architecture) []float32 {
	t.Helper()
	stages, err := a.stages()
	if err != nil {
		t.Fatal(err)
	}
	w := newWeights(stages)
	if err := w.initialise(a, 0, false); err != nil {
		t.Fatal(err)
	}
	return w.Flat
}

// TestRobustResumeGivesTheSameBits cuts runs of methods with schedules, several graphs and attacks off at random steps, and changes the cores.
func TestRobustResumeGivesTheSameBits(t *testing.T) {
	a := mustParse(t, robustSmall)
	train, valid := Split(blobs(a.Input, 3, 300, 1), 0.3, 1)
	for _, method := range []string{CrownIBP, Mixture, PGD} {
		cfg := Config{Technique: Logits, Epochs: 4, Batch: 32, Seed: 8, Cooldown: 1, Robust: &Robust{Method: method, Eps: 0.1, Ramp: new(1.5), WarmUp: 0.7}}
		want, err := Train(context.Background(), a, train, valid, cfg, Options{})
		if err != nil {
			t.Fatal(err)
		}
		seed := rand.Uint64()
		rng := rand.New(rand.NewPCG(seed, 0))
		o := Options{Checkpoint: filepath.Join(t.TempDir(), "run.ckpt"), Resume: true}
		var got *Result
		for cuts := 0; ; cuts++ {
			ctx, stop := context.WithCancel(context.Background())
			left := rng.IntN(9)
			o.Progress = func(Progress) {
				if left--; left < 0 {
					stop()
				}
			}
			cfg.Threads = 1 + rng.IntN(3)
			got, err = Train(ctx, a, train, valid, cfg, o)
			stop()
			if err == nil {
				break
			}
			if !errors.Is(err, context.Canceled) || cuts > 100 {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
		if !slices.Equal(got.Weights.Flat, want.Weights.Flat) || got.BestEpoch != want.BestEpoch {
			t.Errorf("seed %d: a resumed run of %s ends elsewhere", seed, method)
		}
		for i := range got.History {
			if *got.History[i].Robust != *want.History[i].Robust {
				t.Errorf("seed %d, %s: epoch %d is %+v, uninterrupted %+v", seed, method, i+1, *got.History[i].Robust, *want.History[i].Robust)
			}
		}
	}
}

// TestAttackStaysInTheBallAndRaisesTheLoss checks the inner attack by itself.
func TestAttackStaysInTheBallAndRaisesTheLoss(t *testing.T) {
	a := mustParse(t, robustSmall)
	d := blobs(a.Input, 3, 32, 1)
	tr, err := Open(a, d, nil, Config{Batch: 32, Robust: &Robust{Method: PGD, Eps: 0.1}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	at := tr.robust.attacker
	loss := func(x []float32) float64 {
		l, _, err := at.adversary.Gradient(context.Background(), x, d.Labels, nil)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	x, err := at.attack(context.Background(), d.Inputs, d.Labels, 0.1, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	hard := slices.Clone(x)
	for i, v := range hard {
		if v < 0 || v > 1 || math.Abs(float64(v-d.Inputs[i])) > 0.1+1e-7 {
			t.Fatalf("pixel %d: %v from %v", i, v, d.Inputs[i])
		}
	}
	random := slices.Clone(d.Inputs)
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range random {
		random[i] = at.inside(d.Inputs[i], d.Inputs[i]+0.1*(2*rng.Float32()-1), 0.1)
	}
	if clean, noise, attacked := loss(d.Inputs), loss(random), loss(hard); attacked <= clean || attacked <= noise {
		t.Errorf("loss %v clean, %v at random, %v attacked", clean, noise, attacked)
	}
}

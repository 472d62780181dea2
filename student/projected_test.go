package student

import (
	"context"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/shallow-waters/shoal/student/tape"
)

// TestProjectionsEstimateTheDual: with many projections the margins are the exact ones within what the medians' spread allows, with fewer they are
// off by more, and other steps draw other numbers.
func TestProjectionsEstimateTheDual(t *testing.T) {
	for _, text := range []string{convsArch, robustArch} {
		r := newRig(t, text, 5)
		b := r.b
		x := ballAround(b, r.x, b.Knob(knobEps), false)
		tape.Elements[float64](b.Knob(knobEps))[0] = 0.05
		m := r.net.margins(r.y)
		exact := r.net.dualMargins(m, x, 0)
		ks := []int{9, 99, 499}
		outs := []*tape.Node{exact}
		for _, k := range ks {
			outs = append(outs, r.net.dualMargins(m, x, k))
		}
		off := make([]float64, len(ks))
		last := make([]float64, len(ks))
		const steps = 20
		machine, err := tape.NewMachine(b, outs...)
		if err != nil {
			t.Fatal(err)
		}
		for step := range steps {
			r.net.noise.Step = uint64(step)
			if err := machine.RunAll(); err != nil {
				t.Fatal(err)
			}
			want := tape.Elements[float64](exact)
			for k := range ks {
				got := tape.Elements[float64](outs[k+1])
				if got[0] == last[k] && got[0] != 0 {
					t.Errorf("two steps draw the same")
				}
				last[k] = got[0]
				for i := range want {
					off[k] += math.Abs(got[i]-want[i]) / steps / float64(len(want))
				}
			}
		}
		scale := 0.0
		for _, v := range tape.Elements[float64](exact) {
			scale += math.Abs(v) / rigSamples / 4
		}
		// errors fall with the root of the number
		if !(off[0] > off[1] && off[1] > off[2] && off[2] < 0.07*scale && off[2] < off[0]/4) {
			t.Errorf("%v projections are off by %v, of margins of %v", ks, off, scale)
		}
	}
}

// TestGradientsOfProjectionsAgainstDifferences with the numbers that one step draws.
func TestGradientsOfProjectionsAgainstDifferences(t *testing.T) {
	for _, text := range []string{convsArch, robustArch} {
		r := newRig(t, text, 5)
		cfg := Config{Robust: &Robust{Method: Dual, Eps: 0.05, Projections: 7}}.withDefaults()
		loss := cfg.robustLoss(nil, partHard)(r.net, Targets{X: r.x, Labels: r.y})
		tape.Elements[float64](r.b.Knob(knobEps))[0] = 0.05
		r.differs(t, "projections", loss, rand.New(rand.NewPCG(1, 1)))
	}
}

// TestProjectionsProveNothing: what a run with projections says is verified is what one without them does, of the same weights.
func TestProjectionsProveNothing(t *testing.T) {
	a := mustParse(t, robustSmall)
	train, valid := Split(blobs(a.Input, 3, 200, 1), 0.5, 3)
	var lower [2][]float32
	for i, k := range []int{0, 3} {
		tr, err := Open(a, train, valid, Config{Batch: 32, Robust: &Robust{Method: Dual, Eps: 0.1, Projections: k}}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		s, err := tr.robust.score(context.Background(), tr, 1)
		if err != nil {
			t.Fatal(err)
		}
		if s.Projections != k {
			t.Errorf("a run with %d projections says %d", k, s.Projections)
		}
		lower[i] = slices.Clone(tape.Elements[float32](tr.robust.verifier.lower))
	}
	if !slices.Equal(lower[0], lower[1]) {
		t.Error("what is verified depends on projections")
	}
}

// TestProjectionsTrain: a run by estimates raises what is proven without them, and goes on bit for bit where it was cut off.
func TestProjectionsTrain(t *testing.T) {
	a := mustParse(t, robustSmall)
	train, valid := Split(blobs(a.Input, 3, 800, 1), 0.2, 3)
	cfg := Config{Epochs: 8, Batch: 32, LearningRate: 5e-3, Robust: &Robust{Method: Dual, Eps: 0.1, Ramp: new(3.0), Projections: 15}}
	whole, err := Train(context.Background(), a, train, valid, cfg, Options{})
	if err != nil {
		t.Fatal(err)
	}
	first, last := whole.History[0].Robust, whole.History[7].Robust
	if last.Verified < first.Verified+0.05 || last.Verified < 0.4 {
		t.Errorf("verified: %v after an epoch, %v after eight", first.Verified, last.Verified)
	}
	ctx, stop := context.WithCancel(context.Background())
	steps := 0
	o := Options{Checkpoint: filepath.Join(t.TempDir(), "run"), Progress: func(Progress) {
		if steps++; steps == 31 {
			stop()
		}
	}}
	if _, err := Train(ctx, a, train, valid, cfg, o); err == nil {
		t.Fatal("the run was not cut off")
	}
	o.Resume, o.Progress, cfg.Threads = true, nil, 2
	again, err := Train(context.Background(), a, train, valid, cfg, o)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(again.Weights.Flat, whole.Weights.Flat) {
		t.Error("a resumed run ends elsewhere")
	}
}

package student

import (
	"context"
	"fmt"
	"math"
	"testing"
)

// recipeTolerance is what float32 may be off after thirty steps of a linear network with weights below 1.
const recipeTolerance = 2e-5

// byHand trains a linear classifier in float64 by the formulas as PyTorch's documentation has them: torch.optim.SGD and AdamW,
// CosineAnnealingLR and StepLR behind a linear warm-up, CrossEntropyLoss with label_smoothing, clip_grad_norm_. The gradient of the cross-
// entropy is written down: (softmax - target) x.
func byHand(w, b []float64, d *Data, order func(epoch int) []int, c Config) {
	in, k := d.Size(), d.Classes
	steps := d.Len() / c.Batch
	all := append(append([]float64{}, w...), b...)
	m, v := make([]float64, len(all)), make([]float64, len(all))
	x := make([]float32, in)
	n := 0
	for epoch := range c.Epochs {
		perm := order(epoch)
		for s := range steps {
			g := make([]float64, len(all))
			for _, i := range perm[s*c.Batch : (s+1)*c.Batch] {
				d.Sample(x, i)
				z := make([]float64, k)
				sum := 0.0
				for j := range z {
					z[j] = all[in*k+j]
					for p, v := range x {
						z[j] += all[j*in+p] * float64(v)
					}
					sum += math.Exp(z[j])
				}
				for j := range z {
					target := c.LabelSmoothing / float64(k)
					if j == d.Labels[i] {
						target += 1 - c.LabelSmoothing
					}
					e := (math.Exp(z[j])/sum - target) / float64(c.Batch)
					for p, v := range x {
						g[j*in+p] += e * float64(v)
					}
					g[in*k+j] += e
				}
			}
			if c.ClipNorm > 0 {
				q := 0.0
				for _, v := range g {
					q += v * v
				}
				if f := c.ClipNorm / (math.Sqrt(q) + 1e-6); f < 1 {
					for i := range g {
						g[i] *= f
					}
				}
			}
			warm := int(c.RateWarmUp * float64(steps))
			rate := c.LearningRate
			switch {
			case n < warm:
				rate *= float64(n+1) / float64(warm)
			case c.RateSchedule == "cosine":
				rate *= (1 + math.Cos(math.Pi*float64(n-warm)/float64(c.Epochs*steps-warm))) / 2
			case c.RateSchedule == "step":
				for range epoch / c.RateEvery {
					rate *= c.RateFactor
				}
			}
			n++
			for i := range all {
				if c.Optimizer == SGD {
					g[i] += c.WeightDecay * all[i]
					if n == 1 {
						m[i] = g[i]
					} else {
						m[i] = c.Momentum*m[i] + g[i]
					}
					all[i] -= rate * m[i]
					continue
				}
				all[i] -= rate * c.WeightDecay * all[i]
				m[i] = 0.9*m[i] + 0.1*g[i]
				v[i] = 0.999*v[i] + 0.001*g[i]*g[i]
				all[i] -= rate * m[i] / (1 - math.Pow(0.9, float64(n))) / (math.Sqrt(v[i]/(1-math.Pow(0.999, float64(n)))) + 1e-8)
			}
		}
	}
	copy(w, all)
	copy(b, all[in*k:])
}

// TestRecipesAreThoseOfTheFormulas compares the weights after five epochs of every part of a recipe with an implementation of its own.
func TestRecipesAreThoseOfTheFormulas(t *testing.T) {
	a := mustParse(t, `{input: [1, 2, 3], layers: [{dense: 3}]}`)
	d := blobs(a.Input, 3, 48, 8)
	d.Logits = nil
	seen := map[string]string{}
	for name, c := range map[string]Config{
		"adam":            {},
		"adamw":           {WeightDecay: 0.1},
		"sgd":             {Optimizer: SGD},
		"momentum":        {Optimizer: SGD, Momentum: 0.9},
		"decay":           {Optimizer: SGD, Momentum: 0.9, WeightDecay: 0.05},
		"cosine":          {Optimizer: SGD, Momentum: 0.9, RateSchedule: CosineRate},
		"warm cosine":     {Optimizer: SGD, Momentum: 0.9, RateSchedule: CosineRate, RateWarmUp: 2},
		"steps":           {Optimizer: SGD, RateSchedule: StepRate, RateEvery: 2, RateFactor: 0.3},
		"warm":            {RateWarmUp: 1.5},
		"smoothing":       {Optimizer: SGD, LabelSmoothing: 0.2},
		"clipped":         {Optimizer: SGD, ClipNorm: 0.1},
		"clipped, hardly": {Optimizer: SGD, ClipNorm: 100},
		"all":             {Optimizer: SGD, Momentum: 0.8, WeightDecay: 0.01, RateSchedule: CosineRate, RateWarmUp: 1, LabelSmoothing: 0.1, ClipNorm: 0.2},
	} {
		c.Epochs, c.Batch, c.LearningRate, c.Seed = 5, 8, 0.05, 3
		start := map[string][]float32{"dense1.weight": make([]float32, 18), "dense1.bias": make([]float32, 3)}
		w, b := make([]float64, 18), make([]float64, 3)
		for i := range w {
			start["dense1.weight"][i] = float32(math.Sin(float64(i))) / 2
			w[i] = float64(start["dense1.weight"][i])
		}
		one := *a
		one.start = start
		r, err := Train(context.Background(), &one, d, nil, c, Options{})
		if err != nil {
			t.Fatal(name, err)
		}
		byHand(w, b, d, func(epoch int) []int { return stream(c.Seed, purposeOrder, epoch, 0).Perm(d.Len()) }, c)
		for _, s := range r.Weights.stages {
			for _, p := range s.Params {
				got, _ := r.Weights.ONNX(p)
				want := w
				if p.Name == "dense1.bias" {
					want = b
				}
				for i, g := range got {
					if math.Abs(float64(g)-want[i]) > recipeTolerance {
						t.Errorf("%s: %s[%d] is %v, by hand %v", name, p.Name, i, g, want[i])
						break
					}
				}
				if p.Name == "dense1.weight" {
					key := fmt.Sprint(got)
					if other, twice := seen[key]; twice && name != "clipped, hardly" && other != "clipped, hardly" {
						t.Errorf("%s gives what %s gives", name, other)
					}
					seen[key] = name
				}
			}
		}
	}
}

// TestRecipesAreRefused: settings that mean nothing where they stand.
func TestRecipesAreRefused(t *testing.T) {
	for name, c := range map[string]Config{
		"unknown optimiser": {Optimizer: "lion"}, "momentum of adam": {Momentum: 0.9}, "momentum of 1": {Optimizer: SGD, Momentum: 1},
		"unknown schedule": {RateSchedule: "line"}, "steps without every": {RateSchedule: StepRate}, "every without steps": {RateEvery: 2},
		"a factor of 1": {RateSchedule: StepRate, RateEvery: 1, RateFactor: 1}, "two ways down": {RateSchedule: CosineRate, Cooldown: 1},
		"a warm-up beyond the end": {Epochs: 2, RateWarmUp: 3},
		"smoothing of 1":           {LabelSmoothing: 1}, "smoothing of logits": {Technique: Logits, LabelSmoothing: 0.1},
		"smoothing of bounds": {LabelSmoothing: 0.1, Robust: &Robust{Method: IBP, Eps: 0.1}},
		"a negative norm":     {ClipNorm: -1}, "a norm that is none": {ClipNorm: math.NaN()},
	} {
		if err := c.Validate(); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

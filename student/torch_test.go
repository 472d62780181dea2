package student

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// Both sides compute in float32. Adam divides by the root of the second moment, which makes much of small differences in small gradients: up to
// a share of the step of 1e-3.
const (
	torchLossTolerance   = 2e-5
	torchWeightTolerance = 2e-5
	torchLogitTolerance  = 1e-4
)

// TestStepsAreThoseOfPyTorch makes five steps with each technique from the weights of testdata/step.json and compares losses, weights, running
// statistics and the exported network's logits with what PyTorch gave (testdata/step.py).
func TestStepsAreThoseOfPyTorch(t *testing.T) {
	type weights map[string][]float32
	var doc struct {
		Inputs, Teacher          []float32
		Labels                   []int
		Temperature, Alpha, Beta float64
		Steps                    int
		Start                    weights
		Runs                     map[Technique]struct {
			Losses []float64
			End    weights
			Logits []float32
		}
	}
	text, err := os.ReadFile(filepath.Join("testdata", "step.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Runs) != len(Techniques()) {
		t.Fatalf("%d techniques in the file", len(doc.Runs))
	}
	for name, want := range doc.Runs {
		a := mustParse(t, `{input: [2, 8, 7], layers: [{conv: 3, kernel: 3, stride: 2, padding: 1, relu: true}, batchnorm, {conv: 4, kernel: 2, relu: true},
			{maxpool: 2, stride: 1}, {dense: 5, relu: true}, {dense: 3}]}`)
		a.start = doc.Start
		n := len(doc.Labels)
		d := &Data{Shape: a.Input, Classes: 3, Inputs: doc.Inputs, Labels: doc.Labels, Logits: doc.Teacher}
		cfg := Config{Technique: name, Epochs: doc.Steps, Batch: n}
		switch name {
		case Temperature:
			cfg.Temperature = doc.Temperature
		case Hinton:
			cfg.Temperature, cfg.Alpha = doc.Temperature, &doc.Alpha
		case DKD:
			cfg.Temperature, cfg.Alpha, cfg.Beta = doc.Temperature, &doc.Alpha, &doc.Beta
		}
		r, err := Train(context.Background(), a, d, nil, cfg, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range want.Losses {
			if g := r.History[i].TrainLoss; math.Abs(g-w) > torchLossTolerance*math.Max(1, w) {
				t.Errorf("%s: loss of step %d is %v, PyTorch's %v", name, i+1, g, w)
			}
		}
		for _, s := range r.Weights.stages {
			for _, p := range s.Params {
				got, _ := r.Weights.ONNX(p)
				for i, w := range want.End[p.Name] {
					if math.Abs(float64(got[i]-w)) > torchWeightTolerance {
						t.Errorf("%s: %s[%d] is %v, PyTorch's %v", name, p.Name, i, got[i], w)
						break
					}
				}
				if len(want.End[p.Name]) != len(got) {
					t.Errorf("%s: %s has %d numbers", name, p.Name, len(want.End[p.Name]))
				}
			}
		}
		m, err := r.Model()
		if err != nil {
			t.Fatal(err)
		}
		for i, g := range logitsOf(t, m, onnxio.FromFloat32(doc.Inputs, n, 2, 8, 7)) {
			if math.Abs(float64(g-want.Logits[i])) > torchLogitTolerance {
				t.Errorf("%s: logit %d is %v, PyTorch's %v", name, i, g, want.Logits[i])
			}
		}
	}
}

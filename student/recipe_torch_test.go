package student

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// recipeTorchTolerance is what weights may be apart after twelve steps in float32: the 1e-5, of weights below 1.
const recipeTorchTolerance = 1e-5

// TestRecipesAreThoseOfPyTorch trains the network of testdata/step.json by each recipe of testdata/recipe.json and compares the loss of every step
// and the weights behind the last one with what PyTorch's own optimisers, schedules, smoothing and clipping gave (testdata/recipe.py).
func TestRecipesAreThoseOfPyTorch(t *testing.T) {
	read := func(name string, v any) {
		t.Helper()
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err == nil {
			err = json.Unmarshal(text, v)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var net struct {
		Inputs []float32
		Labels []int
		Start  map[string][]float32
	}
	var doc struct {
		Torch string
		Runs  map[string]struct {
			Config Config
			Losses []float64
			End    map[string][]float32
		}
	}
	read("step.json", &net)
	read("recipe.json", &doc)
	if len(doc.Runs) < 12 {
		t.Fatalf("%d recipes in the file", len(doc.Runs))
	}
	ends := map[string][]float32{}
	for name, want := range doc.Runs {
		a := mustParse(t, `{input: [2, 8, 7], layers: [{conv: 3, kernel: 3, stride: 2, padding: 1, relu: true}, batchnorm, {conv: 4, kernel: 2, relu: true},
			{maxpool: 2, stride: 1}, {dense: 5, relu: true}, {dense: 3}]}`)
		a.start = net.Start
		c := want.Config
		c.Epochs, c.Batch = len(want.Losses), len(net.Labels)
		r, err := Train(context.Background(), a, &Data{Shape: a.Input, Classes: 3, Inputs: net.Inputs, Labels: net.Labels}, nil, c, Options{})
		if err != nil {
			t.Fatal(name, err)
		}
		ofLoss, ofWeights := 0.0, 0.0
		for i, w := range want.Losses {
			ofLoss = max(ofLoss, math.Abs(r.History[i].TrainLoss-w))
		}
		var end []float32
		for _, s := range r.Weights.stages {
			for _, p := range s.Params {
				got, _ := r.Weights.ONNX(p)
				if len(got) != len(want.End[p.Name]) {
					t.Fatalf("%s: %s has %d numbers, PyTorch's %d", name, p.Name, len(got), len(want.End[p.Name]))
				}
				end = append(end, got...)
				for i, w := range want.End[p.Name] {
					ofWeights = max(ofWeights, math.Abs(float64(got[i]-w)))
				}
			}
		}
		t.Logf("| %s | %.1e | %.1e |", name, ofLoss, ofWeights)
		if ofLoss > recipeTorchTolerance || ofWeights > recipeTorchTolerance {
			t.Errorf("%s: losses are up to %.2g from PyTorch %s's, weights up to %.2g", name, ofLoss, doc.Torch, ofWeights)
		}
		for other, v := range ends {
			if slices.Equal(v, end) {
				t.Errorf("%s gives what %s gives", name, other)
			}
		}
		ends[name] = end
	}
}

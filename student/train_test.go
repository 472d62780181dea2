package student

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/student/tape"
)

// everyLayer holds each kind of layer.
const everyLayer = `
name: every
input: [2, 9, 8]
layers:
  - {conv: 5, kernel: 3, stride: [1, 2], padding: [1, 0], relu: true}
  - batchnorm
  - {maxpool: 2, stride: 1, padding: 1}
  - {conv: 4, kernel: [2, 3], padding: [1, 2, 0, 1]}
  - relu
  - {avgpool: 2}
  - {dropout: 0.3}
  - {dense: 12}
  - batchnorm
  - relu
  - {dropout: 0.1}
  - {dense: 3}
`

func mustParse(t *testing.T, text string) *Architecture {
	t.Helper()
	a, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// blobs are images of which each class has a pattern of its own, under noise.
func blobs(shape [3]int, classes, n int, seed uint64) *Data {
	rng := rand.New(rand.NewPCG(seed, 5))
	d := &Data{Shape: shape, Classes: classes}
	patterns := make([]float32, classes*d.Size())
	prng := rand.New(rand.NewPCG(99, 5))
	for i := range patterns {
		patterns[i] = prng.Float32()
	}
	for range n {
		l := rng.IntN(classes)
		d.Labels = append(d.Labels, l)
		for i := range d.Size() {
			d.Inputs = append(d.Inputs, 0.5*patterns[l*d.Size()+i]+0.5*rng.Float32())
		}
		for k := range classes {
			z := float32(rng.NormFloat64())
			if k == l {
				z += 4
			}
			d.Logits = append(d.Logits, z)
		}
	}
	return d
}

func TestTrainingLearnsWithEveryTechnique(t *testing.T) {
	a := mustParse(t, everyLayer)
	all := blobs(a.Input, 3, 600, 1)
	train, valid := Split(all, 0.2, 3)
	for _, tech := range Techniques() {
		r, err := Train(context.Background(), a, train, valid, Config{Technique: tech, Epochs: 8, Batch: 32, LearningRate: 5e-3}, Options{})
		if err != nil {
			t.Fatalf("%s: %v", tech, err)
		}
		best := r.History[r.BestEpoch-1]
		if best.Valid.Accuracy < 0.9 {
			t.Errorf("%s: accuracy %v after %d epochs", tech, best.Valid.Accuracy, len(r.History))
		}
		m, err := r.Model()
		if err != nil {
			t.Fatal(err)
		}
		if again := evaluated(t, m, valid); again != *best.Valid {
			t.Errorf("%s: the exported model scores %+v, training saw %+v", tech, again, *best.Valid)
		}
	}
}

func evaluated(t *testing.T, m *onnxio.Model, d *Data) Score {
	t.Helper()
	s, err := engine.Open(context.Background(), m, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	sc, err := Evaluate(context.Background(), s, d)
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

// exportTolerance is float32's rounding over sums of at most a few hundred terms of about 1.
const exportTolerance = 1e-5

// TestExportedModelGivesTheGraphsLogits compares the training graph's logits with the engine's on the file that was written and read back,
// without the layers that behave otherwise in training.
func TestExportedModelGivesTheGraphsLogits(t *testing.T) {
	text := strings.NewReplacer("  - batchnorm\n", "", "  - {dropout: 0.3}\n", "", "  - {dropout: 0.1}\n", "").Replace(everyLayer)
	a := mustParse(t, text)
	d := blobs(a.Input, 3, 16, 1)
	tr, err := Open(a, d, nil, Config{Batch: 16}, Options{Producer: "test"})
	if err != nil {
		t.Fatal(err)
	}
	b := tape.NewBuilder[float32](tape.NewPool(1))
	x := b.Input("x", 16, a.Input[1], a.Input[2], a.Input[0])
	channelsLast(b.Pool, tape.Elements[float32](x), d.Inputs, 16, a.Input)
	z := newNetwork(b, tr.Weights()).Forward(x)
	machine, err := tape.NewMachine(b, z)
	if err != nil {
		t.Fatal(err)
	}
	if err := machine.RunAll(); err != nil {
		t.Fatal(err)
	}
	m, err := tr.Model()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "student.onnx")
	if err := m.Save(path, onnxio.SaveOptions{}); err != nil {
		t.Fatal(err)
	}
	if m, err = onnxio.Load(path); err != nil {
		t.Fatal(err)
	}
	if m.Opsets[""] < 17 || m.Graph.Inputs[0].Name != "input" || m.Graph.Outputs[0].Name != "logits" || m.Graph.Inputs[0].Dims[0].Name != "batch" {
		t.Errorf("opset %v, input %+v", m.Opsets, m.Graph.Inputs[0])
	}
	s, err := engine.Open(context.Background(), m, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out, err := s.Run(context.Background(), []*onnxio.Tensor{onnxio.FromFloat32(d.Inputs, 16, a.Input[0], a.Input[1], a.Input[2])})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range out[0].F32() {
		if w := tape.Elements[float32](z)[i]; math.Abs(float64(v-w)) > exportTolerance {
			t.Fatalf("logit %d: %v from the file, %v in training", i, v, w)
		}
	}
}

// TestThreadsDoNotChangeTheResult trains with 1, 2 and 5 threads.
func TestThreadsDoNotChangeTheResult(t *testing.T) {
	a := mustParse(t, everyLayer)
	d := blobs(a.Input, 3, 300, 1)
	var want []float32
	for _, threads := range []int{1, 2, 5} {
		r, err := Train(context.Background(), a, d, nil, Config{Technique: DKD, Epochs: 2, Batch: 64, Threads: threads,
			Augment: Augment{Shift: 1, Flip: true}}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = r.Weights.Flat
		} else if !slices.Equal(want, r.Weights.Flat) {
			t.Fatalf("%d threads give other weights", threads)
		}
	}
}

// TestResumeGivesTheSameBits cuts runs off at random steps, several times, and compares with an uninterrupted one.
func TestResumeGivesTheSameBits(t *testing.T) {
	a := mustParse(t, everyLayer)
	all := blobs(a.Input, 3, 300, 1)
	train, valid := Split(all, 0.3, 1)
	cfg := Config{Technique: Hinton, Epochs: 4, Batch: 32, Augment: Augment{Shift: 1, Flip: true}, Seed: 8}
	want, err := Train(context.Background(), a, train, valid, cfg, Options{})
	if err != nil {
		t.Fatal(err)
	}
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 3 {
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
			got, err = Train(ctx, a, train, valid, cfg, o)
			stop()
			if err == nil {
				break
			}
			if !errors.Is(err, context.Canceled) || got.Stopped != "interrupted" || cuts > 100 {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
		if !slices.Equal(got.Weights.Flat, want.Weights.Flat) || got.BestEpoch != want.BestEpoch || len(got.History) != len(want.History) {
			t.Fatalf("seed %d: a resumed run ends elsewhere", seed)
		}
		for i := range got.History {
			if got.History[i].TrainLoss != want.History[i].TrainLoss || *got.History[i].Valid != *want.History[i].Valid {
				t.Errorf("seed %d: epoch %d is %+v, uninterrupted %+v", seed, i+1, got.History[i], want.History[i])
			}
		}
	}
}

func TestCheckpointRefusesWhatIsNotItsOwn(t *testing.T) {
	a := mustParse(t, "{input: [1, 3, 3], layers: [{dense: 3}]}")
	d := blobs(a.Input, 3, 64, 1)
	path := filepath.Join(t.TempDir(), "run.ckpt")
	o := Options{Checkpoint: path, Resume: true}
	cfg := Config{Epochs: 1, Batch: 32}
	if _, err := Train(context.Background(), a, d, nil, cfg, o); err != nil {
		t.Fatal(err)
	}
	open := func(a *Architecture, d *Data, cfg Config) error {
		_, err := Open(a, d, nil, cfg, o)
		return err
	}
	want := func(err error, word string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("error %v, want %q in it", err, word)
		}
	}
	if err := open(a, d, cfg); err != nil {
		t.Error(err)
	}
	want(open(a, d, Config{Epochs: 1, Batch: 32, Seed: 1}), `"seed":1`)
	want(open(a, blobs(a.Input, 3, 64, 2), cfg), "the data")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, cut := range [][]byte{nil, data[:7], data[:40], data[:len(data)-1], append(slices.Clone(data), 0)} {
		if err := os.WriteFile(path, cut, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := open(a, d, cfg); err == nil {
			t.Errorf("damaged file %d was taken", i)
		}
	}
	for range 20 {
		bad := slices.Clone(data)
		bad[rand.IntN(len(bad))] ^= 1 << rand.IntN(8)
		if err := os.WriteFile(path, bad, 0o644); err != nil {
			t.Fatal(err)
		}
		want(open(a, d, cfg), "checkpoint")
	}
}

func TestDivergenceStopsWithAdvice(t *testing.T) {
	a := mustParse(t, "{input: [1, 3, 3], layers: [{dense: 8, relu: true}, {dense: 3}]}")
	d := blobs(a.Input, 3, 64, 1)
	d.Inputs[70] = float32(math.NaN())
	_, err := Train(context.Background(), a, d, nil, Config{Batch: 64}, Options{})
	var div *DivergedError
	if !errors.As(err, &div) || div.Epoch != 1 || div.Step != 1 || !strings.Contains(err.Error(), "learning rate") {
		t.Errorf("NaN in the data: %v", err)
	}
	d = blobs(a.Input, 3, 64, 1)
	if _, err = Train(context.Background(), a, d, nil, Config{Technique: Logits, Batch: 64, LearningRate: 1e30}, Options{}); !errors.As(err, &div) {
		t.Errorf("a learning rate of 1e30: %v", err)
	}
	for rate, want := range map[float64]float64{1e30: 1e-3, 0.1: 1e-3, 1e-3: 1e-4, 1e-6: 0, 1e-12: 0} {
		e := &DivergedError{Rate: rate}
		if got := e.Smaller(); math.Abs(got-want) > 1e-12 || strings.Contains(e.Error(), "learning rate") != (want > 0) {
			t.Errorf("instead of a learning rate of %v: %v (%v), want %v", rate, got, e, want)
		}
	}
}

func TestEarlyStoppingKeepsTheBest(t *testing.T) {
	a := mustParse(t, "{input: [1, 3, 3], layers: [{dense: 3}]}")
	d := blobs(a.Input, 3, 128, 1)
	r, err := Train(context.Background(), a, d, d, Config{Epochs: 50, Batch: 128, LearningRate: 1e-12, Patience: 3}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Stopped != "patience" || len(r.History) != 4 || r.BestEpoch != 1 {
		t.Errorf("stopped by %s after %d epochs, best %d", r.Stopped, len(r.History), r.BestEpoch)
	}
}

func TestValidateReportsAllFaults(t *testing.T) {
	bad := 2.0
	err := Config{Technique: Hinton, Alpha: &bad, Temperature: -1, Epochs: -1, Batch: -1, LearningRate: math.NaN(), Patience: -1, Monitor: "x",
		ValidationShare: 1, Init: "x", Augment: Augment{Shift: -1}, Threads: -1, WeightDecay: -1, MinDelta: -1, Beta: new(3.0)}.Validate()
	for _, word := range []string{"alpha", "temperature", "epochs", "batch", "learning rate", "patience", "monitor", "validation share", "init", "shift",
		"threads", "weight decay", "min delta", "beta"} {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("no word of %s in %v", word, err)
		}
	}
	if err := (Config{}).Validate(); err != nil {
		t.Error(err)
	}
	for text, word := range map[string]string{
		"":                   "empty",
		"input: [1, 2]":      "3 elements",
		"{input: [1, 2, 3]}": "needs layers",
		"{input: [0, 2, 3], layers: [{dense: 3}]}":                                              "input",
		"{input: [1, 5, 5], layers: [{conv: 3, kernel: 7}, {dense: 3}]}":                        "does not fit",
		"{input: [1, 5, 5], layers: [{conv: 3, kernel: 2, dense: 4}, {dense: 3}]}":              "exactly one",
		"{input: [1, 5, 5], layers: [{dense: 3}, {maxpool: 2}, {dense: 3}]}":                    "no image",
		"{input: [1, 5, 5], layers: [{dense: 3, relu: true}]}":                                  "logits",
		"{input: [1, 5, 5], layers: [{dense: 3, stride: 2}]}":                                   "go with",
		"{input: [1, 5, 5], layers: [softmax]}":                                                 "softmax",
		"{input: [1, 5, 5], layers: [{dense: 3, bias: 2}]}":                                     `no "bias"`,
		"{input: [1, 5, 5], layer: [{dense: 3}]}":                                               "layer",
		"{input: [1, 5, 5], layers: [{dropout: 1.5}, {dense: 3}]}":                              "dropout",
		"{input: [1, 5, 5], layers: [{conv: 3, kernel: 2, padding: 2}, {dense: 3}]}":            "padding",
		"{input: [1, 5, 5], layers: [{conv: 3, kernel: 2, padding: [1, 1, 1]}, {dense: 3}]}":    "padding",
		"{input: [1, 5, 5], layers: [{conv: 3, kernel: [2, 2, 2]}, {dense: 3}]}":                "window",
		"{input: [1, 5, 5], layers: [{conv: 3}, {dense: 3}]}":                                   "window",
		"{input: [1, 5, 5], layers: [{conv: 3, kernel: 2, stride: 0}, {dense: 3}]}":             "stride",
		"{input: [1, 5, 5], layers: [{avgpool: 2, padding: 1}, {dense: 3}]}":                    "avgpool",
		"{input: [1, 5, 5], layers: [{maxpool: 2, kernel: 1}, {dense: 3}]}":                     "pooling",
		"{input: [1, 5, 5], layers: [flatten, batchnorm, {dense: 3}]}":                          "batchnorm",
		"{input: [1, 5, 5], layers: [{conv: 3, kernel: 2}, {dense: 3}], unknown: 1, layers: 3}": "layers",
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: error %v, want %q in it", text, err, word)
		}
	}
}

func TestYAMLReadsBack(t *testing.T) {
	a := mustParse(t, everyLayer)
	text, err := a.YAML()
	if err != nil {
		t.Fatal(err)
	}
	if b := mustParse(t, string(text)); fmt.Sprint(a) != fmt.Sprint(b) {
		t.Errorf("%s\nreads back as %v", text, b)
	}
}

package student

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// slopes are samples with two numbers each, affine in the pixels: the teacher's and, a little beside them, the data's.
func slopes(shape [3]int, n int, seed uint64) *Data {
	rng := rand.New(rand.NewPCG(seed, 7))
	d := &Data{Shape: shape, Classes: 2}
	w := make([]float64, 2*d.Size())
	prng := rand.New(rand.NewPCG(98, 7))
	for i := range w {
		w[i] = prng.NormFloat64() / math.Sqrt(float64(d.Size()))
	}
	for range n {
		x := make([]float32, d.Size())
		y := [2]float64{0.5, -0.25}
		for i := range x {
			x[i] = rng.Float32()
			y[0], y[1] = y[0]+w[2*i]*float64(x[i]), y[1]+w[2*i+1]*float64(x[i])
		}
		d.Labels, d.Inputs = append(d.Labels, -1), append(d.Inputs, x...)
		for _, v := range y {
			d.Logits, d.Targets = append(d.Logits, float32(v)), append(d.Targets, float32(v+0.01))
		}
	}
	return d
}

const numbersNet = `
name: numbers
input: [2, 4, 3]
layers:
  - {conv: 6, kernel: 2, relu: true}
  - {dense: 12, relu: true}
  - {dense: 2}
`

// TestNumbersAreLearned: from a teacher and from the data, without a label anywhere; what training saw of its best epoch is what the file does, and
// the figures are those of an independent sum.
func TestNumbersAreLearned(t *testing.T) {
	a := mustParse(t, numbersNet)
	train, valid := Split(slopes(a.Input, 600, 1), 0.2, 3)
	for tech, want := range map[Technique][]float32{Labels: valid.Targets, Logits: valid.Logits} {
		cfg := Config{Technique: tech, Numbers: true, Epochs: 30, Batch: 32, LearningRate: 5e-3}
		r, err := Train(context.Background(), a, train, valid, cfg, Options{})
		if err != nil {
			t.Fatalf("%s: %v", tech, err)
		}
		best := r.History[r.BestEpoch-1].Valid
		of := map[Technique]*Deviation{Labels: best.Targets, Logits: best.Teacher}[tech]
		if of.R2 < 0.95 || best.Loss != of.MSE || best.Accuracy != -1 || best.Agreement != -1 {
			t.Errorf("%s: %+v, %+v", tech, *best, *of)
		}
		for _, e := range r.History {
			if e.Valid.Loss < best.Loss {
				t.Errorf("%s: epoch %d has the loss %v, and %d was taken with %v", tech, e.Epoch, e.Valid.Loss, r.BestEpoch, best.Loss)
			}
		}
		m, err := r.Model()
		if err != nil {
			t.Fatal(err)
		}
		got := logitsOf(t, m, onnxio.FromFloat32(valid.Inputs, valid.Len(), a.Input[0], a.Input[1], a.Input[2]))
		squares, sum, most := 0.0, 0.0, 0.0
		var about [2]float64
		for i, v := range want {
			e := math.Abs(float64(got[i] - v))
			squares, sum, most = squares+e*e, sum+e, max(most, e)
			for j, u := range want { // twice the variance is the mean of all pairs' squared differences
				if i%2 == j%2 {
					about[i%2] += float64(v-u) * float64(v-u) / 2 / float64(valid.Len())
				}
			}
		}
		n := float64(len(want))
		check := Deviation{valid.Len(), squares / n, math.Sqrt(squares / n), sum / n, most, 1 - squares/(about[0]+about[1])}
		if !near(*of, check) {
			t.Errorf("%s: %+v, by hand %+v", tech, *of, check)
		}
	}
}

// near leaves room for differences that were rounded to float32 once.
func near(a, b Deviation) bool {
	const room = 1e-5
	ok := a.Samples == b.Samples
	for _, v := range [][2]float64{{a.MSE, b.MSE}, {a.RMSE, b.RMSE}, {a.Mean, b.Mean}, {a.Max, b.Max}, {a.R2, b.R2}} {
		ok = ok && math.Abs(v[0]-v[1]) <= room*math.Max(math.Abs(v[0]), math.Abs(v[1]))
	}
	return ok
}

// TestOneStepOnNumbersIsGradientDescent compares a step of plain gradient descent on one dense layer with the formula, worked out in float64.
func TestOneStepOnNumbersIsGradientDescent(t *testing.T) {
	a := mustParse(t, "name: one\ninput: [1, 2, 3]\nlayers: [{dense: 2}]")
	d := slopes(a.Input, 8, 2)
	for tech, want := range map[Technique][]float32{Labels: d.Targets, Logits: d.Logits} {
		const rate = 0.25
		cfg := Config{Technique: tech, Numbers: true, Epochs: 1, Batch: 8, Optimizer: SGD, LearningRate: rate}
		tr, err := Open(a, d, nil, cfg, Options{})
		if err != nil {
			t.Fatal(err)
		}
		old := append([]float32(nil), tr.Weights().Flat...) // weights [2,6], then biases
		grad := make([]float64, len(old))
		for s := range 8 {
			x := d.Inputs[6*s : 6*s+6]
			for o := range 2 {
				z := float64(old[12+o])
				for i, v := range x {
					z += float64(old[6*o+i]) * float64(v)
				}
				g := 2 * (z - float64(want[2*s+o])) / 16
				for i, v := range x {
					grad[6*o+i] += g * float64(v)
				}
				grad[12+o] += g
			}
		}
		r, err := tr.Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for i, g := range grad {
			if w := float64(old[i]) - rate*g; math.Abs(float64(r.Weights.Flat[i])-w) > 1e-6 {
				t.Errorf("%s: weight %d is %v, want %v", tech, i, r.Weights.Flat[i], w)
			}
		}
	}
}

// TestNumbersRefuseWhatIsForClasses: what has no meaning of numbers, or nothing to learn from, is an error before training, and classes without
// labels too.
func TestNumbersRefuseWhatIsForClasses(t *testing.T) {
	a := mustParse(t, numbersNet)
	all := slopes(a.Input, 64, 1)
	bare := *all
	bare.Targets = nil
	alone := *all
	alone.Logits = nil
	valid := alone
	kappa := 0.5
	for _, c := range []struct {
		cfg   Config
		d, v  *Data
		words string
	}{
		{Config{Technique: Temperature}, all, nil, "technique temperature compares classes"},
		{Config{Technique: Hinton}, all, nil, "technique hinton compares classes"},
		{Config{Technique: DKD}, all, nil, "technique dkd compares classes"},
		{Config{Technique: Logits, Robust: &Robust{Method: IBP, Eps: 0.1, KappaEnd: &kappa}}, all, nil, "robust training is for classes"},
		{Config{LabelSmoothing: 0.1}, all, nil, "label smoothing is for classes"},
		{Config{Monitor: "accuracy"}, all, nil, "want one of [loss]"},
		{Config{Monitor: "agreement", Technique: Logits}, all, nil, "want one of [loss]"},
		{Config{}, &bare, nil, "the training data has none"},
		{Config{}, all, &bare, "the validation data has none"},
		{Config{Technique: Logits}, &alone, nil, "needs a teacher's logits"},
		{Config{Technique: Logits}, all, &valid, "the validation data has no teacher's outputs"},
	} {
		c.cfg.Numbers, c.cfg.Batch = true, 16
		if _, err := Open(a, c.d, c.v, c.cfg, Options{}); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%+v: %v, want %q", c.cfg, err, c.words)
		}
	}
	if _, err := Open(a, &alone, nil, Config{Batch: 16}, Options{}); err == nil || !strings.Contains(err.Error(), "samples without a label") {
		t.Errorf("classes that nobody says: %v", err)
	}
	fly := Options{Before: OnTheFly(all, Perturbation{Eps: 0.1})}
	if _, err := Train(context.Background(), a, all, nil, Config{Technique: Logits, Numbers: true, Batch: 16, Epochs: 2}, fly); err == nil ||
		!strings.Contains(err.Error(), "numbers decide none") {
		t.Errorf("perturbing numbers: %v", err)
	}
}

// TestFaultsHaveAnOrder: what is wrong with both sets of data is said of the training data first, each time.
func TestFaultsHaveAnOrder(t *testing.T) {
	a := mustParse(t, numbersNet)
	bare := slopes(a.Input, 64, 1)
	bare.Targets, bare.Shape = nil, [3]int{4, 3, 2}
	for range 30 {
		_, err := Open(a, bare, bare, Config{Batch: 16, Numbers: true}, Options{})
		if err == nil || strings.Count(err.Error(), "the validation data has") != 2 {
			t.Fatal(err)
		}
		for _, words := range []string{"the %s data has [4 3 2]", "the %s data has none"} {
			first, then := strings.Replace(words, "%s", "training", 1), strings.Replace(words, "%s", "validation", 1)
			if i, j := strings.Index(err.Error(), first), strings.Index(err.Error(), then); i < 0 || j < i {
				t.Fatalf("%q before %q: %v", then, first, err)
			}
		}
	}
}

// TestNumbersGoOnBitForBit cuts a run off and goes on; other targets are another run.
func TestNumbersGoOnBitForBit(t *testing.T) {
	a := mustParse(t, numbersNet)
	train, valid := Split(slopes(a.Input, 200, 1), 0.2, 3)
	cfg := Config{Numbers: true, Epochs: 3, Batch: 32}
	whole, err := Train(context.Background(), a, train, valid, cfg, Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	steps := 0
	o := Options{Checkpoint: filepath.Join(t.TempDir(), "run"), Progress: func(Progress) {
		if steps++; steps == 7 {
			cancel()
		}
	}}
	if _, err := Train(ctx, a, train, valid, cfg, o); err == nil {
		t.Fatal("the run was not cut off")
	}
	o.Resume, o.Progress = true, nil
	again, err := Train(context.Background(), a, train, valid, cfg, o)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range whole.Weights.Flat {
		if again.Weights.Flat[i] != v {
			t.Fatalf("weight %d is %v, and %v in one piece", i, again.Weights.Flat[i], v)
		}
	}
	other := *train
	other.Targets = append([]float32(nil), train.Targets...)
	other.Targets[3]++
	if _, err := Train(context.Background(), a, &other, valid, cfg, o); err == nil || !strings.Contains(err.Error(), "another run") {
		t.Errorf("other targets: %v", err)
	}
}

// TestDeviationsInJSON: there and back; what is no number is null.
func TestDeviationsInJSON(t *testing.T) {
	d := DeviationOf([]float32{1, 2, 3, float32(math.Inf(1))}, []float32{1, 2, 3, 4}, 2)
	text, err := json.Marshal(Score{Samples: 2, Accuracy: -1, Agreement: -1, Loss: math.MaxFloat64, Targets: d})
	if err != nil || strings.Count(string(text), "null") != 7 { // accuracy, agreement and all figures
		t.Fatalf("%s, %v", text, err)
	}
	var back Score
	if err := json.Unmarshal(text, &back); err != nil || back.Accuracy != -1 || !math.IsNaN(back.Targets.Max) || back.Targets.Samples != 2 ||
		back.Teacher != nil {
		t.Errorf("%s: %+v, %v", text, back, err)
	}
	same := DeviationOf([]float32{5, 5}, []float32{5, 5}, 1)
	if same.Max != 0 || !math.IsNaN(same.R2) {
		t.Errorf("what does not vary has an R² of %v", same.R2)
	}
}

// TestDeviationsOfNoNumber: no number that comes behind a NaN hides it.
func TestDeviationsOfNoNumber(t *testing.T) {
	nan := float32(math.NaN())
	for _, got := range [][]float32{{nan, 1}, {1, nan}, {nan, float32(math.Inf(1))}} {
		d := DeviationOf(got, []float32{0, 0}, 1)
		for name, v := range map[string]float64{"mean squared": d.MSE, "root": d.RMSE, "mean": d.Mean, "largest": d.Max} {
			if !math.IsNaN(v) {
				t.Errorf("%v: %s difference %v", got, name, v)
			}
		}
	}
}

// TestWhatDoesNotVaryHasNoR2: however the mean of equal numbers rounds. One output that varies is enough for one.
func TestWhatDoesNotVaryHasNoR2(t *testing.T) {
	for n := 1; n < 70; n++ {
		var got, want []float32
		for i := range n {
			got, want = append(got, float32(i), 0), append(want, 0.1, 1e10/3)
		}
		if d := DeviationOf(got, want, 2); !math.IsNaN(d.R2) {
			t.Fatalf("%d samples of two constants: R² %v", n, d.R2)
		}
		if n > 1 {
			want[0] = 0.2
			if d := DeviationOf(got, want, 2); math.IsNaN(d.R2) {
				t.Fatalf("%d samples, of which one is another: no R²", n)
			}
		}
	}
}

// TestRowsOfNumbersGoInAndOut: a student of rows is written with the input [batch,C], gives what training saw, and is read back to the same file.
func TestRowsOfNumbersGoInAndOut(t *testing.T) {
	a := mustParse(t, "name: rows\ninput: [5, 1, 1]\nlayers: [{dense: 6, relu: true}, {dense: 2}]")
	train, valid := Split(slopes(a.Input, 120, 4), 0.25, 3)
	r, err := Train(context.Background(), a, train, valid, Config{Numbers: true, Epochs: 2, Batch: 16}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := r.Model()
	if err != nil {
		t.Fatal(err)
	}
	if in := m.Graph.Inputs[0].Dims; len(in) != 2 || in[1].Size != 5 || len(m.Graph.Nodes) != 3 {
		t.Fatalf("input %v, %d nodes", in, len(m.Graph.Nodes))
	}
	want := r.History[r.BestEpoch-1].Valid.Targets
	if got := DeviationOf(logitsOf(t, m, onnxio.FromFloat32(valid.Inputs, valid.Len(), 5)), valid.Targets, 2); *got != *want {
		t.Errorf("the file has %+v, training saw %+v", *got, *want)
	}
	back, err := FromGraph(m.Graph)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Train(context.Background(), back, train, nil, Config{Numbers: true, Epochs: 1, Batch: 16, LearningRate: 1e-30}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range r.Weights.Flat {
		if again.Weights.Flat[i] != v {
			t.Fatalf("weight %d is %v, and was %v", i, again.Weights.Flat[i], v)
		}
	}
}

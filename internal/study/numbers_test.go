package study

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/onnxio/engine"
)

const numbersStudy = `name: numbers
decision: regress
within: 1/10
data:
  train: {from: "npz:rows.npz", range: "0:80"}
  test: {from: "npz:rows.npz", range: "80:120"}
seeds: [1, 2]
training: {epochs: 4, batch: 16, learning_rate: 0.02}
teachers:
  - {name: net, model: net.onnx}
  - {name: own, layers: [{dense: 6, relu: true}, {dense: 2}]}
students:
  - {name: small, layers: [{dense: 4, relu: true}, {dense: 2}]}
techniques:
  - {technique: logits}
  - {technique: labels}
prune:
  - {name: half, ratio: 0.5}
attacks:
  - {method: pgd, steps: 3, eps: [0.05, 0.3], images: 6}
certify: {domains: [deeppoly], images: 6, max_eps: 0.5, eps: [0.01, 0.1]}
claims:
  - {claim: 10, teacher: net, techniques: [logits]}
`

// numbersData writes the study's files: a network of two outputs, and rows of three numbers with labels that are near its outputs.
func numbersData(t *testing.T) (dir string, rows, labels []float64) {
	t.Helper()
	dir = t.TempDir()
	model, err := os.ReadFile(filepath.Join("..", "..", "cmd", "shoal", "testdata", "models", "subject", "regress.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "net.onnx"), model, 0o644); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	const n = 120
	for range n * 3 {
		rows = append(rows, float64(rng.Float32()))
	}
	for range n * 2 {
		labels = append(labels, float64(float32(0.05*rng.NormFloat64())))
	}
	for i, y := range outputsOf(t, filepath.Join(dir, "net.onnx"), rows) {
		labels[i] = float64(float32(labels[i] + y))
	}
	err = dataset.WriteNPZ(filepath.Join(dir, "rows.npz"), map[string]*dataset.Array{
		"inputs": {Shape: []int{n, 3}, Floats: rows}, "labels": {Shape: []int{n, 2}, Floats: labels}})
	if err != nil {
		t.Fatal(err)
	}
	return dir, rows, labels
}

// outputsOf runs a file on rows of three numbers.
func outputsOf(t *testing.T, path string, rows []float64) []float64 {
	t.Helper()
	m, err := onnxio.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := engine.Open(context.Background(), m, engine.Options{Engine: "go"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	x := make([]float32, len(rows))
	for i, v := range rows {
		x[i] = float32(v)
	}
	y, err := s.Run(context.Background(), []*onnxio.Tensor{onnxio.FromFloat32(x, len(x)/3, 3)})
	if err != nil {
		t.Fatal(err)
	}
	var out []float64
	for _, v := range y[0].F32() {
		out = append(out, float64(v))
	}
	return out
}

// TestAStudyOfNumbers runs one, and holds its figures to the files in the cache: errors to a sum by hand, radii to points inside and what the attack
// found outside of them. A second run does nothing; another tolerance asks only what is about balls.
func TestAStudyOfNumbers(t *testing.T) {
	base, rows, labels := numbersData(t)
	spec, err := Parse([]byte(numbersStudy))
	if err != nil {
		t.Fatal(err)
	}
	var worked []string
	o := Options{Dir: t.TempDir(), Base: base, Engine: engine.Options{Engine: "go"}, Version: "test", Progress: func(p Progress) {
		if !p.Reused {
			worked = append(worked, p.Name)
		}
	}}
	r, err := Run(context.Background(), spec, o)
	if err != nil || len(r.Failures) > 0 {
		t.Fatal(err, r)
	}
	if len(r.Models) != 18 { // net, own twice, and six students, and all of them pruned
		t.Errorf("%d models", len(r.Models))
	}
	const from, n = 80, 40
	file := func(m *ModelRow) string {
		if m.SHA256 == "" {
			t.Fatal("no file")
		}
		paths, err := filepath.Glob(filepath.Join(o.Dir, "cache", "*.onnx"))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range append(paths, filepath.Join(base, "net.onnx")) {
			if f, err := onnxio.Load(p); err == nil && f.SHA256 == m.SHA256 {
				return p
			}
		}
		t.Fatalf("no file of %v", m)
		return ""
	}
	rmse := func(a, b []float64) float64 {
		sum := 0.0
		for i := range a {
			sum += (a[i] - b[i]) * (a[i] - b[i])
		}
		return math.Sqrt(sum / float64(len(a)))
	}
	test := rows[3*from:]
	for i := range r.Models {
		m := &r.Models[i]
		if m.Numbers == nil || m.Agreement != nil || m.Correct != 0 || m.Numbers.Targets == nil {
			t.Fatalf("%+v", m)
		}
		own := outputsOf(t, file(m), test)
		wants := []struct {
			got, want float64
		}{{m.Numbers.Targets.RMSE, rmse(own, labels[2*from:])}}
		if m.Technique == "logits" {
			teacher := r.model(Subject{Teacher: m.Teacher}, m.Seed)
			wants = append(wants, struct{ got, want float64 }{m.Numbers.Teacher.RMSE, rmse(own, outputsOf(t, file(teacher), test))})
		}
		if m.Prune != "" {
			whole := m.Subject
			whole.Prune = ""
			wants = append(wants, struct{ got, want float64 }{m.Numbers.Before.RMSE, rmse(own, outputsOf(t, file(r.model(whole, m.Seed)), test))})
		}
		for _, w := range wants {
			if math.Abs(w.got-w.want) > 1e-6 {
				t.Errorf("%v: RMSE %v, by hand %v", m.Subject, w.got, w.want)
			}
		}
	}
	rng := rand.New(rand.NewPCG(5, 6))
	for _, x := range r.Radii {
		if x.Domain == upperDomain {
			continue
		}
		upper := r.radius(x.Subject, x.Seed, upperDomain)
		path := file(r.model(x.Subject, x.Seed))
		for i, radius := range x.Radius {
			if radius > upper.Radius[i] || radius <= 0 {
				t.Errorf("%v, sample %d: proven to %v, broken at %v", x.Subject, i, radius, upper.Radius[i])
			}
			const points = 200
			y := outputsOf(t, path, test[3*i:3*i+3])
			var near []float64
			for range points {
				for _, v := range test[3*i : 3*i+3] {
					near = append(near, v+radius*(2*rng.Float64()-1))
				}
			}
			for k, v := range outputsOf(t, path, near) {
				if math.Abs(v-y[k%2]) > 0.1+1e-6 { // float32's rounding of the points and of the run
					t.Fatalf("%v, sample %d: output %d is %v away within the proven radius", x.Subject, i, k%2, v-y[k%2])
				}
			}
		}
	}
	for _, a := range r.Attacks {
		if a.Correct != a.Samples || a.Robust[1] > a.Robust[0] {
			t.Errorf("%+v", a)
		}
	}
	sameOnceRead(t, r)

	worked = nil
	if _, err := Run(context.Background(), spec, o); err != nil || len(worked) != 0 {
		t.Errorf("again: %v, %v", err, worked)
	}
	other := *spec
	other.Within = "0.2"
	wider, err := Run(context.Background(), &other, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range worked {
		if !strings.HasPrefix(name, "attacking") && !strings.HasPrefix(name, "certifying") {
			t.Errorf("another tolerance made %q anew", name)
		}
	}
	for i, x := range wider.Radii {
		if before := r.Radii[i]; mean(x.Radius) <= mean(before.Radius) {
			t.Errorf("%v, %s: mean radius %v for 0.2, and %v for 0.1", x.Subject, x.Domain, mean(x.Radius), mean(before.Radius))
		}
	}
	dir := t.TempDir()
	if err := r.Write(dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "report.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"ccuracy", "classified", "images, right", "predicted class"} {
		if strings.Contains(string(text), word) {
			t.Errorf("the report says %q", word)
		}
	}
	for _, word := range []string{"## Errors", "RMSE from the teacher", "stay within 1/10 of their values", "RMSE from before"} {
		if !strings.Contains(string(text), word) {
			t.Errorf("the report does not say %q", word)
		}
	}
}

// TestStudiesOfNumbersRefuseClasses: what has no meaning of numbers is refused when the study is read, by name.
func TestStudiesOfNumbersRefuseClasses(t *testing.T) {
	with := func(old, new string) string { return strings.Replace(numbersStudy, old, new, 1) }
	for _, c := range []struct{ text, want string }{
		{with("decision: regress", "decision: argmax"), `decision "argmax": want regress, or nothing`},
		{with("decision: regress\n", ""), "within goes with decision: regress"},
		{with("within: 1/10\n", ""), "within: T is missing"},
		{with("within: 1/10", "within: -1"), `within "-1"`},
		{with("within: 1/10", "within: 0"), "within is 0"},
		{with("model: net.onnx", "model: net.onnx, decision: argmax"), "teachers[0].decision argmax: the study is of numbers"},
		{with("technique: logits", "technique: hinton"), "techniques[0]: technique hinton compares classes"},
		{with("technique: logits", "technique: temperature, temperatures: [2]"), "techniques[0].temperatures: numbers have none"},
		{with("technique: logits", "technique: logits, adversarial: {form: fly, eps: 0.1}"), "techniques[0].adversarial: images are moved"},
		{with("technique: logits", "technique: labels, name: l, training: {label_smoothing: 0.1}"), "label smoothing is for classes"},
		{with("{dense: 6, relu: true}, {dense: 2}]", "{dense: 6, relu: true}, {dense: 2}], training: {robust: {method: ibp, eps: 0.1}}"),
			"teachers[1].training.robust: robust training is for classes"},
		{numbersStudy + "retrain: [{name: r, training: {robust: {method: ibp, eps: 0.1}}}]\n", "retrain: robust training is for classes"},
		{with("method: pgd, steps: 3", "method: cw"), "attacks[0]: cw is for classes"},
		{with("range: \"0:80\"", "range: \"0:80\", labels: [a, b]"), "data.train.labels: numbers have no classes"},
		{with("{claim: 10,", "{claim: 3,"), "claims[0]: claim 3 is about classes, and the study is of numbers (decision: regress): of these there are the claims [10 11 12]"},
		{with("{claim: 10, teacher: net, techniques: [logits]}", "{claim: 13}"), "claim 13 is about classes"},
	} {
		if _, err := Parse([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
	s, err := Parse([]byte(with("decision: regress\nwithin: 1/10\n", "within: 1/10\n") + "note: x\n"))
	if err == nil {
		t.Errorf("within without numbers: %+v", s)
	}
	byTeacher := strings.Replace(with("decision: regress\n", ""), "model: net.onnx", "model: net.onnx, decision: regress", 1)
	if s, err = Parse([]byte(byTeacher)); err != nil || !s.numbers() {
		t.Errorf("a teacher that says it for the study: %v", err)
	}
}

// TestNumbersThatNobodySays: labels are learned only where data has numbers of the right size; one label beside several outputs is passed over.
func TestNumbersThatNobodySays(t *testing.T) {
	base, rows, labels := numbersData(t)
	write := func(labels *dataset.Array) {
		arrays := map[string]*dataset.Array{"inputs": {Shape: []int{120, 3}, Floats: rows}}
		if labels != nil {
			arrays["labels"] = labels
		}
		if err := dataset.WriteNPZ(filepath.Join(base, "rows.npz"), arrays); err != nil {
			t.Fatal(err)
		}
	}
	open := func(text string) error {
		spec, err := Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		_, err = openLab(context.Background(), spec, Options{Base: base})
		return err
	}
	taught := strings.NewReplacer("  - {technique: labels}\n", "", "  - {name: own, layers: [{dense: 6, relu: true}, {dense: 2}]}\n", "").Replace(numbersStudy)
	write(nil)
	if err := open(numbersStudy); err == nil || !strings.Contains(err.Error(), "says no numbers") {
		t.Errorf("nothing to learn: %v", err)
	}
	if err := open(taught); err != nil {
		t.Errorf("a teacher says it all: %v", err)
	}
	write(&dataset.Array{Shape: []int{120}, Floats: labels[:120]})
	if err := open(numbersStudy); err == nil || !strings.Contains(err.Error(), "labels of 1 numbers for a model of 2 outputs") {
		t.Errorf("one label: %v", err)
	}
	if err := open(taught); err != nil {
		t.Errorf("one label, passed over: %v", err)
	}
	write(&dataset.Array{Shape: []int{120, 3}, Floats: rows})
	if err := open(taught); err == nil || !strings.Contains(err.Error(), "labels of 3 numbers for a model of 2 outputs") {
		t.Errorf("three labels: %v", err)
	}
	several := strings.Replace(taught, "  - {name: small,", "  - {name: wide, layers: [{dense: 9}]}\n  - {name: small,", 1)
	for range 30 {
		if err := open(several); err == nil || !strings.HasPrefix(err.Error(), "student small: ") {
			t.Fatalf("of two students that do not fit the one to be named: %v", err)
		}
	}
}

// sameOnceRead checks that results say in JSON what they said when they are read again.
func sameOnceRead(t *testing.T, r *Results) {
	t.Helper()
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var again Results
	if err := json.Unmarshal(b, &again); err != nil {
		t.Fatal(err)
	}
	if !sameJSON(t, r, &again) {
		c, _ := json.Marshal(&again)
		t.Errorf("results are\n%s\nand once read\n%s", b, c)
	}
}

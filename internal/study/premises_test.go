package study

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// claimsStudy has everything that a claim may need, and two teachers of files whose names say what they are.
const claimsStudy = `name: claims
data:
  train: {from: "fmnist:fmnist", split: test, range: "0:150"}
  extra: {from: "fmnist:fmnist", split: test, range: "150:170"}
  test: {from: "fmnist:fmnist", split: test, range: "170:200"}
seeds: [0, 1, 2]
training: {epochs: 2, batch: 16}
teachers:
  - {name: normal, model: fmnist-conv-ts.onnx}
  - {name: robust, model: fmnist-conv-dyn-robust.onnx}
students:
  - {name: dense, layers: [{dense: 10}]}
  - {name: tiny, layers: [{conv: 4, kernel: 4, stride: 2, padding: 1, relu: true}, {dense: 10}]}
  - {name: two, layers: [{conv: 4, kernel: 4, stride: 2, padding: 1, relu: true}, {conv: 64, kernel: 4, stride: 2, padding: 1, relu: true}, {dense: 10}]}
techniques:
  - {technique: logits}
  - {technique: labels}
  - {technique: temperature, temperatures: [1]}
  - {name: more, technique: logits, extra: true}
  - {name: longer, technique: logits, extra: true, training: {epochs: 9}}
prune:
  - {score: proven-dead}
retrain:
  - {name: again, training: {robust: {method: ibp, eps: 0.05}}}
attacks:
  - {method: pgd, eps: [0.01, 0.02], on: {students: [tiny]}}
certify: {domains: [fastlin], images: 10, max_eps: 0.02, no_attack: true, on: {students: [tiny]}}
claims:
  - %s
`

// TestClaimsAreRefusedWithoutTheirPremises asks for every claim with and without what it needs.
func TestClaimsAreRefusedWithoutTheirPremises(t *testing.T) {
	for _, c := range []struct{ claim, want string }{
		{"{claim: 1, techniques: [logits]}", ""},
		{"{claim: 1, techniques: [logits], students: [tiny, dense]}", "more and more convolutions: dense has 0 and stands behind tiny with 1"},
		{"{claim: 1, techniques: [logits], students: [tiny, two]}", "begins with a student without convolutions"},
		{"{claim: 1, techniques: [labels]}", "no technique has one"},
		{"{claim: 2, techniques: [logits], students: [tiny, dense]}", "more and more convolutions"},
		{"{claim: 2, techniques: [logits], students: [tiny]}", "needs at least two"},
		{"{claim: 2, techniques: [logits, more], students: [tiny, two]}", "about one technique, and 2 are given"},
		{"{claim: 4, techniques: [temperature, logits]}", ""},
		{"{claim: 4, techniques: [logits, labels]}", "sets a temperature against logits, and logits is logits, labels is labels"},
		{"{claim: 4, techniques: [temperature, more]}", "only one of temperature and more has the extra ones"},
		{"{claim: 4, techniques: [temperature]}", "needs two"},
		{"{claim: 5, techniques: [temperature, labels]}", ""},
		{"{claim: 5, techniques: [temperature, logits]}", "against one on labels"},
		{"{claim: 5, techniques: [labels, labels]}", "against one on labels"},
		{"{claim: 6, techniques: [more, logits]}", ""},
		{"{claim: 6, techniques: [temperature, logits]}", "temperature has extra: false"},
		{"{claim: 6, techniques: [longer, logits]}", "longer and logits differ in more"},
		{"{claim: 7, prune: proven-dead}", ""},
		{"{claim: 7, attack: pgd}", "has no attack"},
		{"{claim: 8, teacher: normal}", ""},
		{"{claim: 9, techniques: [logits], students: [tiny], eps: [0.02]}", ""},
		{"{claim: 9, techniques: [logits], students: [tiny], eps: [0.03]}", "asks for eps 0.03, which pgd is not tried at: it has [0.01 0.02]"},
		{"{claim: 9, techniques: [logits], students: [two]}", "needs two, logits from normal under pgd, which on leaves out"},
		{"{claim: 10, teacher: normal, techniques: [temperature], students: [tiny]}", ""},
		{"{claim: 10, teacher: robust, techniques: [temperature], students: [tiny]}", "is about a normal teacher, and robust is a robust one (by the name robust"},
		{"{claim: 10, teacher: normal, techniques: [temperature], students: [dense]}", "needs dense, temperature from normal certified, which certify.on leaves out"},
		{"{claim: 10, teacher: normal, techniques: [labels], students: [tiny]}", "no technique has one"},
		{"{claim: 12, teacher: robust, techniques: [logits], students: [tiny]}", ""},
		{"{claim: 12, teacher: normal, techniques: [temperature], students: [tiny]}", "is about a robust teacher, and normal is a normal one"},
		{"{claim: 13, teacher: robust, techniques: [logits], students: [tiny]}", ""},
		{"{claim: 13, teacher: robust, techniques: [logits], students: [tiny], prune: proven-dead}", "does not make"},
		{"{claim: 14, teacher: robust, techniques: [logits], students: [tiny]}", "straight_epochs of again makes it"},
		{"{claim: 15}", "10 is not there"},
	} {
		_, err := Parse(fmt.Appendf(nil, claimsStudy, c.claim))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.claim, err, c.want)
		}
	}
	text := fmt.Sprintf(claimsStudy, "{claim: 12, teacher: robust, techniques: [logits], students: [tiny]}")
	for _, c := range []struct{ old, to, want string }{
		{"robust, model: fmnist-conv-dyn-robust.onnx", "robust, model: fmnist-conv-dyn-robust.onnx, robust: false",
			"robust is a normal one (as the study says)"},
		{"normal, model: fmnist-conv-ts.onnx", "normal, layers: [{dense: 10}], robust: true", "robust is for models"},
		{"retrain:\n  - {name: again, training: {robust: {method: ibp, eps: 0.05}}}\n", "", ""},
		{"{robust: {method: ibp, eps: 0.05}}}", "{robust: {method: ibp, eps: 0.05}}, on: {retrained: [again]}}", "is not retrained again"},
		{"certify:", "#", "the study has no certify"},
	} {
		if !strings.Contains(text, c.old) {
			t.Fatal(c.old)
		}
		_, err := Parse([]byte(strings.Replace(text, c.old, c.to, 1)))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.to, err, c.want)
		}
	}
}

// TestWhatDependsOnTheImagesIsRefusedBeforeAnyStep: sizes, layers without bounds, sets that share images, and more images than there are.
func TestWhatDependsOnTheImagesIsRefusedBeforeAnyStep(t *testing.T) {
	good := fmt.Sprintf(claimsStudy, "{claim: 3, techniques: [logits], students: [dense, two]}")
	for _, c := range []struct{ old, to, want string }{
		{"students: [dense, two]", "students: [tiny, dense]", "more and more parameters: dense has 7850 and stands behind tiny with 7918"},
		{"range: \"170:200\"", "range: \"140:200\"", "9 test images are training images too (number 0 is number 12 there); 1 test images are validation images too"},
		{"range: \"150:170\"", "range: \"150:180\"", "10 extra images are test images too"},
		{"eps: [0.01, 0.02], on", "eps: [0.01, 0.02], images: 31, on", "attacks[0].images: 31 of 30 test images"},
		{"images: 10,", "images: 31,", "certify.images: 31 of 30 test images"},
		{"method: ibp, eps: 0.05}}}", "method: crown-ibp, eps: 0.05}}, straight_epochs: 2}", ""},
		{"layers: [{dense: 10}]", "layers: [{dense: 10, relu: true}, {dropout: 0.1}, {dense: 9}]", "label 9 for a model of 9 outputs"},
	} {
		text := strings.Replace(good, c.old, c.to, 1)
		if text == good {
			t.Fatal(c.old)
		}
		spec, err := Parse([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", c.to, err)
			continue
		}
		_, err = openLab(context.Background(), spec, Options{Dir: t.TempDir(), Base: filepath.Join("..", "..", "testdata")})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.to, err, c.want)
		}
	}
	dropout := strings.Replace(good, "layers: [{dense: 10}]", "layers: [{dense: 9, relu: true}, {dropout: 0.1}, {dense: 10}]", 1)
	for to, want := range map[string]string{
		"method: crown-ibp, eps: 0.05}}, straight_epochs: 2}": "retrain[0].training.robust: dense, straight, again: layer dropout1: no crown bounds in training for dropout",
		"method: dual, eps: 0.05}}, straight_epochs: 2}":      "no dual bounds in training for dropout",
		"method: pgd, eps: 0.05}}, straight_epochs: 2}":       "",
		"method: crown-ibp, eps: 0.05}}}":                     "", // a file has no dropout
	} {
		spec, err := Parse([]byte(strings.Replace(dropout, "method: ibp, eps: 0.05}}}", to, 1)))
		if err != nil {
			t.Fatal(err)
		}
		_, err = openLab(context.Background(), spec, Options{Dir: t.TempDir(), Base: filepath.Join("..", "..", "testdata")})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", to, err, want)
		}
	}
	spec, err := Parse([]byte(strings.Replace(strings.Replace(good, "range: \"170:200\"", "range: \"140:200\"", 1), "data:\n",
		"data:\n  allow_overlap: true\n", 1)))
	if err != nil {
		t.Fatal(err)
	}
	l, err := openLab(context.Background(), spec, Options{Dir: t.TempDir(), Base: filepath.Join("..", "..", "testdata")})
	if err != nil {
		t.Fatal(err)
	}
	shared := 0
	for _, o := range l.overlap {
		if o.B == "test" {
			shared += o.Images
		}
	}
	if shared != 10 {
		t.Errorf("%+v: want 10 test images that are training or validation images", l.overlap)
	}
}

// TestPlannedModelsAreThoseOfTheSteps: what premises are checked against is what the plan makes.
func TestPlannedModelsAreThoseOfTheSteps(t *testing.T) {
	text := strings.Replace(fmt.Sprintf(claimsStudy, "{claim: 7}"), "{robust: {method: ibp, eps: 0.05}}}",
		"{robust: {method: ibp, eps: 0.05}}, straight_epochs: 2, on: {students: [tiny, two], pruned: [proven-dead]}}", 1)
	spec, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	l, err := openLab(context.Background(), spec, Options{Dir: t.TempDir(), Base: filepath.Join("..", "..", "testdata")})
	if err != nil {
		t.Fatal(err)
	}
	var made []Subject
	first := 0
	for _, m := range newPlan(l).models {
		if !slices.Contains(made, m.Subject) {
			made = append(made, m.Subject)
		}
		if m.PrunedFirst {
			first++
		}
	}
	want := spec.subjects()
	if len(made) != len(want) || first == 0 {
		t.Errorf("%d models and %d that are said; %d pruned first", len(made), len(want), first)
	}
	for _, s := range want {
		if !slices.Contains(made, s) {
			t.Errorf("%s is said and not made", s)
		}
	}
}

// TestPrunedStudentsAreTrainedOn runs prune, retrain and certify in one study.
func TestPrunedStudentsAreTrainedOn(t *testing.T) {
	const text = `name: pr
data:
  train: {from: "fmnist:fmnist", split: test, range: "0:60"}
  test: {from: "fmnist:fmnist", split: test, range: "60:80"}
seeds: [0]
training: {epochs: 1, batch: 16}
teachers: [{name: robust, model: fmnist-conv-dyn-robust.onnx}]
students: [{name: tiny, layers: [{conv: 4, kernel: 4, stride: 2, padding: 1, relu: true}, {dense: 10}]}]
techniques: [{technique: logits}]
prune: [{name: half, score: l1, ratio: 0.5}]
retrain: [{name: ibp, training: {epochs: 1, robust: {method: ibp, eps: 0.05}}%s}]
certify: {domains: [interval], images: 3, max_eps: 0.05, no_attack: true, on: {pruned: [half]}}
`
	steps := map[string]int{}
	for _, on := range []string{"", ", on: {pruned: [half]}"} {
		spec, err := Parse(fmt.Appendf(nil, text, on))
		if err != nil {
			t.Fatal(err)
		}
		r, err := Run(context.Background(), spec, Options{Dir: t.TempDir(), Base: filepath.Join("..", "..", "testdata"), Version: "test"})
		if err != nil || len(r.Failures) > 0 {
			t.Fatal(err, r)
		}
		steps[on] = len(r.Steps)
		if on == "" {
			continue
		}
		both := Subject{Teacher: "robust", Student: "tiny", Technique: "logits", Retrain: "ibp", Prune: "half"}
		first := both
		first.PrunedFirst = true
		x, y := r.model(both, 0), r.model(first, 0)
		if x == nil || y == nil || r.radius(first, 0, "interval") == nil || x.SHA256 == y.SHA256 || x.Parameters != y.Parameters {
			t.Errorf("%+v and %+v", x, y)
		}
		if a, b := both.String(), first.String(); a != "tiny, logits from robust, ibp, pruned half" || b != "tiny, logits from robust, pruned half, ibp" {
			t.Errorf("%q, %q", a, b)
		}
	}
	if more := steps[", on: {pruned: [half]}"] - steps[""]; more != 3 { // trained, tested, certified
		t.Errorf("%d steps more: %v", more, steps)
	}
}

package study

import (
	"strings"
	"testing"
)

const goodStudy = `name: n
data:
  train: {from: "fmnist:x"}
  test: {from: "fmnist:x"}
teachers:
  - {name: t, model: t.onnx}
students:
  - {name: s, layers: [{dense: 10}]}
techniques:
  - {technique: logits}
`

func TestParseNamesLineAndKey(t *testing.T) {
	if _, err := Parse([]byte(goodStudy)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, text, want string }{
		{"unknown key at the top", goodStudy + "colour: red\n", "line 11: there is no key colour here"},
		{"unknown key inside", strings.Replace(goodStudy, "model: t.onnx", "modell: t.onnx", 1), "line 6: there is no key modell here"},
		{"wrong type", strings.Replace(goodStudy, "name: n", "name: n\nseeds: many", 1), "line 2"},
		{"no name", strings.Replace(goodStudy, "name: n\n", "", 1), "name is missing"},
		{"empty", "", "the study is empty"},
		{"two documents", goodStudy + "---\nname: m\n", "more than one"},
		{"no teacher", strings.Replace(goodStudy, "teachers:\n  - {name: t, model: t.onnx}\n", "", 1), "teachers: there is none"},
		{"a name twice", strings.Replace(goodStudy, "  - {name: t, model: t.onnx}", "  - {name: t, model: t.onnx}\n  - {name: t, model: t.onnx}", 1), "is there twice"},
		{"unknown technique", strings.Replace(goodStudy, "technique: logits", "technique: osmosis", 1), "osmosis"},
		{"unknown preset", strings.Replace(goodStudy, "layers: [{dense: 10}]", "preset: huge", 1), "preset \"huge\" is not known"},
		{"preset and layers", strings.Replace(goodStudy, "layers: [{dense: 10}]", "layers: [{dense: 10}], preset: small-fmnist-8-16", 1), "either preset or layers"},
		{"labels have no temperature", strings.Replace(goodStudy, "technique: logits", "technique: labels, temperatures: [2]", 1), "has no temperature"},
		{"extra images that are not there", strings.Replace(goodStudy, "technique: logits", "technique: logits, extra: true", 1), "data.extra is missing"},
		{"unknown student", goodStudy + "claims: [{claim: 5, students: [z]}]\n", "\"z\" is none of s"},
		{"claim 16", goodStudy + "claims: [{claim: 16}]\n", "want 1 to 15"},
		{"unknown domain", goodStudy + "certify: {domains: [magic], max_eps: 0.1}\n", "\"magic\" is none of"},
		{"eps in disorder", goodStudy + "attacks: [{method: pgd, eps: [0.2, 0.1]}]\n", "not more than the one before"},
		{"unknown attack", goodStudy + "attacks: [{method: stare, eps: [0.2]}]\n", "\"stare\" is none of"},
		{"fgsm has no steps", goodStudy + "attacks: [{method: fgsm, steps: 3, eps: [0.2]}]\n", "no such setting"},
		{"pruning by nothing", goodStudy + "prune: [{score: l1}]\n", "how much to remove"},
		{"pruning everything", goodStudy + "prune: [{ratio: 1}]\n", "ratio"},
		{"retraining on nothing", goodStudy + "retrain: [{name: r}]\n", "training.robust is missing"},
		{"unknown robust method", goodStudy + "retrain: [{name: r, training: {epochs: 2, robust: {method: hope, eps: 0.1}}}]\n", "hope"},
		{"a seed twice", goodStudy + "seeds: [1, 1]\n", "seeds: 1 is there twice"},
	} {
		if _, err := Parse([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestTechniquesTakeTheirOwnTraining(t *testing.T) {
	base := Training{Epochs: 3, Batch: 16, LearningRate: 0.1}
	if got := (Training{Epochs: 5}).over(base); got.Epochs != 5 || got.Batch != 16 || got.LearningRate != 0.1 {
		t.Errorf("%+v", got)
	}
	if got := (Training{}).over(Training{Robust: &Robust{}}); got.Robust != nil {
		t.Error("robust training is inherited")
	}
}

package study

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/student"
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
		{"a name twice", strings.Replace(goodStudy, "  - {name: t, model: t.onnx}", "  - {name: t, model: t.onnx}\n  - {name: t, model: t.onnx}", 1),
			"is there twice"},
		{"unknown technique", strings.Replace(goodStudy, "technique: logits", "technique: osmosis", 1), "osmosis"},
		{"unknown preset", strings.Replace(goodStudy, "layers: [{dense: 10}]", "preset: huge", 1), "preset \"huge\" is not known"},
		{"preset and layers", strings.Replace(goodStudy, "layers: [{dense: 10}]", "layers: [{dense: 10}], preset: small-fmnist-8-16", 1),
			"either preset or layers"},
		{"labels have no temperature", strings.Replace(goodStudy, "technique: logits", "technique: labels, temperatures: [2]", 1), "has no temperature"},
		{"extra images that are not there", strings.Replace(goodStudy, "technique: logits", "technique: logits, extra: true", 1), "data.extra is missing"},
		{"unknown student", goodStudy + "claims: [{claim: 5, students: [z]}]\n", "\"z\" is none of s"},
		{"claim 16", goodStudy + "claims: [{claim: 16}]\n", "want 1 to 15"},
		{"unknown domain", goodStudy + "certify: {domains: [magic], max_eps: 0.1}\n", "\"magic\" is none of"},
		{"eps in disorder", goodStudy + "attacks: [{method: pgd, eps: [0.2, 0.1]}]\n", "not more than the one before"},
		{"unknown attack", goodStudy + "attacks: [{method: stare, eps: [0.2]}]\n", "\"stare\" is none of"},
		{"fgsm has no steps", goodStudy + "attacks: [{method: fgsm, steps: 3, eps: [0.2]}]\n", "fgsm has no setting"},
		{"pruning by nothing", goodStudy + "prune: [{score: l1}]\n", "how much to remove"},
		{"pruning everything", goodStudy + "prune: [{ratio: 1}]\n", "ratio"},
		{"retraining on nothing", goodStudy + "retrain: [{name: r}]\n", "training.robust is missing"},
		{"unknown robust method", goodStudy + "retrain: [{name: r, training: {epochs: 2, robust: {method: hope, eps: 0.1}}}]\n", "hope"},
		{"projections of intervals", goodStudy + "retrain: [{name: r, training: {epochs: 2, robust: {method: ibp, eps: 0.1, projections: 10}}}]\n",
			"no projections"},
		{"fit without a preset", strings.Replace(goodStudy, "layers: [{dense: 10}]", "layers: [{dense: 10}], fit: true", 1), "fit goes with preset"},
		{"epochs of 0", goodStudy + "training: {epochs: 0}\n", "line 11: epochs is 0"},
		{"a learning rate of 0", goodStudy + "training: {learning_rate: 0.0}\n", "line 11: learning_rate is 0"},
		{"steps of 0", goodStudy + "attacks: [{method: pgd, steps: 0, eps: [0.2]}]\n", "line 11: steps is 0"},
		{"a time for bounds that take none", goodStudy + "certify: {domains: [interval], max_eps: 0.1, timeout: 2s}\n", "it is for auto and complete"},
		{"a time that is none", goodStudy + "certify: {domains: [auto], max_eps: 0.1, timeout: soon}\n", "want a time such as 30s"},
		{"a tolerance of 0", goodStudy + "certify: {domains: [interval], max_eps: 0.1, tolerance: 0/3}\n", "tolerance is 0"},
		{"a temperature of 0", strings.Replace(goodStudy, "technique: logits", "technique: hinton, temperatures: [0]", 1), "0 is not more than 0"},
		{"eps that is no number", goodStudy + "attacks: [{method: pgd, eps: [much]}]\n", "line 11: \"much\" is not a number"},
		{"a seed twice", goodStudy + "seeds: [1, 1]\n", "seeds: 1 is there twice"},
	} {
		if _, err := Parse([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// TestFractionsAndZeros: a fraction stands wherever a real number does, and a 0 that is written is one.
func TestFractionsAndZeros(t *testing.T) {
	s, err := Parse([]byte(strings.Replace(goodStudy, "technique: logits", "technique: dkd, beta: 0, alpha: 1/2, training: {patience: 0, weight_decay: 0, flip: false, shift: 0}", 1) + `
training: {epochs: 3, patience: 2, weight_decay: 1/1000, flip: true, shift: 2}
attacks: [{method: pgd, eps: [1/255, 2/255]}]
certify: {domains: [interval], max_eps: 8/255, tolerance: 1/2550, eps: [4/255]}
retrain: [{name: r, training: {epochs: 2, robust: {method: ibp, eps: 2/255, eps_start: 1/255, ramp: 0, kappa: [1, 1/2]}}}]
prune: [{score: proven-dead}]
claims: [{claim: 7, margin: 0}]
`))
	if err != nil {
		t.Fatal(err)
	}
	tech := s.Techniques[0]
	own := student.Config{Technique: tech.Technique, Beta: float(tech.Beta), Alpha: float(tech.Alpha)}
	tech.Training.over(s.Training).into(&own)
	if own.Beta == nil || *own.Beta != 0 || *own.Alpha != 0.5 || own.Patience != 0 || own.WeightDecay != 0 ||
		own.Augment != (student.Augment{}) || own.Epochs != 3 {
		t.Errorf("%+v", own)
	}
	robust := s.Retrain[0].Training.Robust.student()
	if robust.Eps != 2.0/255 || robust.EpsStart != 1.0/255 || robust.Ramp == nil || *robust.Ramp != 0 || *robust.KappaEnd != 0.5 {
		t.Errorf("%+v", robust)
	}
	if e := s.Attacks[0].Eps; e[0] != 1.0/255 || e[1] != 2.0/255 || s.Certify.MaxEps != 8.0/255 || s.Certify.Tolerance != 1.0/2550 ||
		s.Certify.Eps[0] != 4.0/255 {
		t.Errorf("%+v %+v", s.Attacks, s.Certify)
	}
	if m := s.Claims[0].margin(); m != 0 {
		t.Errorf("margin %v", m)
	}
}

// TestProjectionsReachTraining as they are written, and stand in a step's hash only where they are.
func TestProjectionsReachTraining(t *testing.T) {
	for _, c := range []struct {
		text string
		want int
	}{{"", 0}, {", projections: 10", 10}} {
		s, err := Parse([]byte(goodStudy + "retrain: [{name: r, training: {epochs: 2, robust: {method: dual, eps: 0.1" + c.text + "}}}]\n"))
		if err != nil {
			t.Fatal(err)
		}
		r := s.Retrain[0].Training.Robust
		if got := r.student().Projections; got != c.want {
			t.Errorf("%q gives %d projections", c.text, got)
		}
		if text, err := json.Marshal(r); err != nil || strings.Contains(string(text), "projections") != (c.want > 0) {
			t.Errorf("%q is hashed as %s, %v", c.text, text, err)
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

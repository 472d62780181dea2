package study

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/student"
)

const adversarialStudy = `name: adversarial
data:
  train: {from: "fmnist:fmnist", split: test, range: "0:80"}
  test: {from: "fmnist:fmnist", split: test, range: "80:120"}
  validation: 0.2
training: {epochs: 3, batch: 16}
teachers: [{name: t, model: fmnist-conv-ts.onnx}]
students: [{name: s, layers: [{conv: 2, kernel: 4, stride: 2, padding: 1, relu: true}, {dense: 10}]}]
techniques:
  - {technique: labels}
  - {technique: logits}
  - %s
`

// TestAdversarialDistillation trains by every form, and finds other students than plain matching of logits gives; again nothing is done twice.
func TestAdversarialDistillation(t *testing.T) {
	dir := t.TempDir()
	seen := map[string]string{}
	for _, c := range []struct{ name, adversarial string }{
		{"teacher", "{form: static, against: teacher, eps: 0.05, steps: 3}"},
		{"student", "{form: static, against: labels, eps: 0.05, steps: 3}"},
		{"fly", "{form: fly, eps: 0.05, steps: 2}"},
	} {
		spec, err := Parse(fmt.Appendf(nil, adversarialStudy, "{name: moved, technique: logits, adversarial: "+c.adversarial+"}"))
		if err != nil {
			t.Fatal(err)
		}
		for again := range 2 {
			worked := 0
			r, err := Run(context.Background(), spec, Options{Dir: dir, Base: filepath.Join("..", "..", "testdata"), Version: "test",
				Progress: func(p Progress) {
					if !p.Reused {
						worked++
					}
				}})
			if err != nil || len(r.Failures) > 0 {
				t.Fatal(c.name, err, r.Failures)
			}
			m := r.model(Subject{Teacher: "t", Student: "s", Technique: "moved"}, 0)
			plain := r.model(Subject{Teacher: "t", Student: "s", Technique: "logits"}, 0)
			if again == 1 && (worked != 0 || seen[m.SHA256] != c.name) {
				t.Errorf("%s: %d steps done again, or another model", c.name, worked)
			}
			if again == 0 {
				if other, twice := seen[m.SHA256]; twice {
					t.Errorf("%s is %s", c.name, other)
				}
				seen[m.SHA256] = c.name
			}
			if m.SHA256 == plain.SHA256 {
				t.Errorf("%s is plain matching of logits", c.name)
			}
		}
	}
}

// TestTrainingOnTheFlyEndsWhereAgreementFalls: it may begin below the share.
func TestTrainingOnTheFlyEndsWhereAgreementFalls(t *testing.T) {
	stop := fallsTo(0.6)
	for i, c := range []struct {
		agreement float64
		want      bool
	}{{0.3, false}, {0.5, false}, {0.9, false}, {0.7, false}, {0.6, true}} {
		if got := stop(student.Epoch{Valid: &student.Score{Agreement: c.agreement}}); got != c.want {
			t.Errorf("epoch %d: %t", i+1, got)
		}
	}
	if stop(student.Epoch{}) {
		t.Error("it ends without validation images")
	}
}

func TestAdversarialDistillationIsRefusedAtReading(t *testing.T) {
	for tech, want := range map[string]string{
		"{name: m, technique: labels, adversarial: {form: fly, eps: 0.1}}":                                  "goes with technique: logits",
		"{name: m, technique: logits, adversarial: {form: later, eps: 0.1}}":                                "want static or fly",
		"{name: m, technique: logits, adversarial: {form: fly}}":                                            "eps 0",
		"{name: m, technique: logits, adversarial: {form: fly, eps: 0.1, against: teacher}}":                "goes with form: static",
		"{name: m, technique: logits, adversarial: {form: static, eps: 0.1, against: nobody}}":              "want teacher, or a technique above",
		"{name: m, technique: logits, adversarial: {form: static, eps: 0.1, against: m}}":                   "want teacher, or a technique above",
		"{name: m, technique: logits, adversarial: {form: static, eps: 2, against: teacher}}":               "at most 1",
		"{name: m, technique: logits, adversarial: {form: static, against: teacher, until: 1/2, eps: 0.1}}": "until goes with form: fly",
	} {
		if _, err := Parse(fmt.Appendf(nil, adversarialStudy, tech)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", tech, err, want)
		}
	}
}

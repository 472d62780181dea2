package study

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/student"
)

// A study of numbers is one whose models' outputs decide no class: errors stand for accuracies, attacks and proofs are about how far outputs get from
// their values, and what is for classes is refused when the study is read.

// numbers tells that the study is of numbers.
func (s *Spec) numbers() bool { return s.Decision == string(trial.Regress) }

// ofRadii are the claims that are about radii alone, and so about numbers too.
var ofRadii = []int{10, 11, 12}

// numbersOnly checks what a study of numbers has, and one of classes has not.
func (s *Spec) numbersOnly(v *validation) {
	v.check(s.Decision == "" || s.numbers(), "decision %q: want regress, or nothing: classes are decided as teachers' files say", s.Decision)
	if !s.numbers() {
		v.check(s.Within == "", "within goes with decision: regress")
		return
	}
	if s.Within != "" {
		_, err := trial.ParseTolerance(s.Within)
		v.check(err == nil, "within %q: %w", s.Within, err)
	}
	v.check(s.Within != "" || len(s.Attacks) == 0 && s.Certify == nil,
		"within: T is missing: attacks and certify ask whether outputs get farther than T from their values")
	for i, t := range s.Teachers {
		v.check(t.Decision == "" || t.Decision == string(trial.Regress),
			"teachers[%d].decision %s: the study is of numbers, all of it or nothing", i, t.Decision)
		v.check(t.Training.Robust == nil, "teachers[%d].training.robust: robust training is for classes", i)
	}
	v.check(len(s.Retrain) == 0, "retrain: robust training is for classes")
	for i, t := range s.Techniques {
		v.check(t.Adversarial == nil, "techniques[%d].adversarial: images are moved until their class is wrong, and numbers decide none", i)
		v.check(len(t.Temperatures) == 0, "techniques[%d].temperatures: numbers have none", i)
	}
	for i, a := range s.Attacks {
		if m, err := a.method(); err == nil {
			if _, err = attack.ForNumbers(m); err != nil {
				v.check(false, "attacks[%d]: %w; apgd, apgd-t, pgd, fgsm, bim, mim, square, spsa and standard attack numbers", i, err)
			}
		}
	}
	for _, d := range []struct {
		name string
		of   *Source
	}{{"train", &s.Data.Train}, {"test", &s.Data.Test}, {"extra", s.Data.Extra}} {
		v.check(d.of == nil || d.of.Labels == nil, "data.%s.labels: numbers have no classes that could have names", d.name)
	}
}

// method is the attack's, in its form for numbers where the study is of them.
func (s *Spec) method(a *Attack) (attack.Attack, error) {
	m, err := a.method()
	if err == nil && s.numbers() {
		m, err = attack.ForNumbers(m)
	}
	return m, err
}

// tolerance is how far outputs may get from their values; nil for classes.
func (s *Spec) tolerance() *trial.Tolerance {
	t, err := trial.ParseTolerance(s.Within)
	if !s.numbers() || err != nil {
		return nil
	}
	return t
}

// decisionInto puts what is asked of numbers among a step's settings; balls tells that the step asks how far they get.
func (l *lab) decisionInto(settings map[string]any, balls bool) {
	if !l.spec.numbers() {
		return
	}
	if settings["decision"] = l.spec.Decision; balls {
		settings["within"] = l.spec.Within
	}
}

// targets checks what the data says that numbers should be, for each architecture: one label beside several outputs is a class, and passed over.
func (l *lab) targets() error {
	learned := false
	for _, t := range l.spec.Techniques {
		learned = learned || t.Technique == student.Labels
	}
	for _, t := range l.spec.Teachers {
		learned = learned || t.Model == ""
	}
	archs := l.layers()
	for _, name := range slices.Sorted(maps.Keys(archs)) {
		outputs := (&student.Architecture{Layers: archs[name]}).Classes()
		for _, m := range []*images{l.train, l.test} {
			err := trial.CheckLessonTargets(m.set, outputs)
			var other *trial.TargetError
			if errors.As(err, &other) && other.Labels == 1 && !learned {
				m.silent, err = true, nil
			}
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	if learned && l.train.set.Len() > 0 && l.train.set.Target(0) == nil {
		return fmt.Errorf("data.train: %s says no numbers, which technique labels and teachers that are trained here learn", l.train.source.From)
	}
	return nil
}

// compared are the models that a model's numbers are compared with on the test images: its teacher, and the one that it was pruned from. nil where
// there is none, and for classes, which are compared when results are gathered.
func (p *plan) compared(m *model) (teacher, before *model) {
	if !p.lab.spec.numbers() {
		return nil, nil
	}
	if m.Teacher != "" && m.Student != "" {
		teacher = p.find(Subject{Teacher: m.Teacher}, m.seed)
	}
	return teacher, m.pruned
}

// deviations compares a model's numbers z on the test images d with the data's and with those of two models.
func (l *lab) deviations(ctx context.Context, e *evaluated, z []float32, d *student.Data, teacher, before *model) error {
	k := len(z) / max(1, d.Len())
	e.Targets = student.DeviationOf(z, d.Targets, k)
	for _, c := range []struct {
		of *model
		to **student.Deviation
	}{{teacher, &e.Teacher}, {before, &e.Before}} {
		if c.of == nil {
			continue
		}
		asked, err := l.ask(ctx, c.of.made, c.of.spec, "test", d)
		if err != nil {
			return fmt.Errorf("asking %s: %w", c.of, err)
		}
		if *c.to = student.DeviationOf(z, asked.Logits, k); *c.to == nil {
			return fmt.Errorf("%d numbers, and %s gives %d", len(z), c.of, len(asked.Logits))
		}
	}
	return nil
}

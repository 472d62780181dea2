package study

import (
	"context"
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/student"
)

// The forms of adversarial distillation, and whom the static one may attack beside students.
const (
	staticForm     = "static"
	flyForm        = "fly"
	againstTeacher = "teacher"
)

// perturbation gives it as package student takes it.
func (a *Adversarial) perturbation() student.Perturbation {
	p := student.Perturbation{Eps: float64(a.Eps), Step: float64(a.Step), Steps: a.Steps}
	if p.Steps == 0 && a.Form == flyForm {
		p.Steps = 20
	}
	return p
}

func (s *Spec) adversarial(v *validation, where string, at int) {
	t := s.Techniques[at]
	a := t.Adversarial
	if a == nil {
		return
	}
	v.check(t.Technique == student.Logits, "%s goes with technique: logits", where)
	v.check(a.Form == staticForm || a.Form == flyForm, "%s.form %q: want static or fly", where, a.Form)
	if err := a.perturbation().Validate(); err != nil {
		v.check(false, "%s: %w", where, err)
	}
	v.check(a.Until >= 0 && a.Until <= 1, "%s.until %v: want a share", where, a.Until)
	if a.Form == flyForm {
		v.check(a.Against == "", "%s.against goes with form: static; the other attacks the student", where)
		return
	}
	v.check(a.Until == 0, "%s.until goes with form: fly", where)
	if a.Against == againstTeacher {
		return
	}
	i := slices.IndexFunc(s.Techniques[:at], func(o Technique) bool { return o.Name == a.Against })
	v.check(i >= 0, "%s.against %q: want teacher, or a technique above this one", where, a.Against)
	if i < 0 {
		return
	}
	for _, st := range s.Students {
		for _, teacher := range s.taughtBy(&t) {
			o := s.attacked(&t, Subject{Teacher: teacher, Student: st.Name, Technique: t.Name})
			v.check(!t.On.has(Subject{Teacher: teacher, Student: st.Name, Technique: t.Name}) || s.Techniques[i].On.has(o),
				"%s.against: there is no %s", where, o)
		}
	}
}

// attacked is whose errors the images of a technique's static form are: its teacher, or the student of another technique.
func (s *Spec) attacked(t *Technique, of Subject) Subject {
	if t.Adversarial.Against == againstTeacher {
		return Subject{Teacher: of.Teacher}
	}
	of.Technique = t.Adversarial.Against
	if o := s.technique(t.Adversarial.Against); o.Technique == student.Labels {
		of.Teacher = ""
	}
	return of
}

// moved gives training images as the attack on a model leaves them.
func (l *lab) moved(ctx context.Context, of *model, a *Adversarial, train *student.Data, seed uint64) (*student.Data, error) {
	file, err := of.made.load()
	if err != nil {
		return nil, err
	}
	if of.spec != nil && (of.spec.Mean != nil || of.spec.Std != nil) {
		return nil, fmt.Errorf("%s takes normalised images: attacked are networks that take pixels", of)
	}
	arch, err := student.FromGraphContext(ctx, file.Graph)
	if err != nil {
		return nil, fmt.Errorf("attacking %s: %w", of, err)
	}
	return student.Perturb(ctx, arch, train, a.perturbation(), seed, l.o.Threads)
}

// fallsTo tells of epochs one after the other whether agreement has fallen to a share that it was above before: first epochs may lie below it.
func fallsTo(share float64) func(student.Epoch) bool {
	above := false
	return func(e student.Epoch) bool {
		if e.Valid == nil {
			return false
		}
		above = above || e.Valid.Agreement > share
		return above && e.Valid.Agreement <= share
	}
}

// adversarialStep makes a technique's training one on moved images.
func (l *lab) adversarialStep(s *step, tech *Technique, against *model, cfg student.Config) {
	a := tech.Adversarial
	if a == nil {
		return
	}
	s.settings.(map[string]any)["adversarial"] = map[string]any{"form": a.Form, "perturbation": a.perturbation(), "falls_to": a.Until}
	if against != nil {
		s.inputs = append(s.inputs, against.made)
	}
	s.prepare = func(ctx context.Context, train *student.Data) (*student.Data, student.Options, error) {
		if a.Form == staticForm {
			moved, err := l.moved(ctx, against, a, train, cfg.Seed)
			return moved, student.Options{}, err
		}
		o := student.Options{Before: student.OnTheFly(train, a.perturbation())}
		if a.Until > 0 {
			o.Stop = fallsTo(float64(a.Until))
		}
		return train, o, nil
	}
}

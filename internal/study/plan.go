package study

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/infer"
	"github.com/shallow-waters/shoal/student"
)

// plan is the study as steps, in an order in which each stands behind its inputs.
type plan struct {
	lab    *lab
	steps  []*step
	models []*model
	// what was measured of which model
	attacks []measured
	radii   []measured
	uppers  []measured
}

// measured is a step that measures a model.
type measured struct {
	of   *model
	what string // attack or domain
	step *step
}

func newPlan(l *lab) *plan {
	p := &plan{lab: l}
	p.teachers()
	p.students()
	p.retrained()
	p.pruned()
	p.retrainedPruned()
	for i := range l.spec.Attacks {
		a := &l.spec.Attacks[i]
		p.each(a.On, func(m *model) { p.attacks = append(p.attacks, measured{m, a.Name, p.add(l.attackStep(m, a))}) })
	}
	if c := l.spec.Certify; c != nil {
		for _, d := range c.Domains {
			p.each(c.On, func(m *model) { p.radii = append(p.radii, measured{m, d, p.add(l.radiusStep(m, c, d))}) })
		}
		if !c.NoAttack {
			p.each(c.On, func(m *model) { p.uppers = append(p.uppers, measured{m, "attack", p.add(l.upperStep(m, c))}) })
		}
	}
	return p
}

func (p *plan) add(s *step) *step {
	p.steps = append(p.steps, s)
	return s
}

func (p *plan) each(on On, f func(*model)) {
	for _, m := range p.models {
		if on.has(m.Subject) {
			f(m)
		}
	}
}

// addModel measures a model on the test images, and lists it.
func (p *plan) addModel(m *model) *model {
	teacher, before := p.compared(m)
	m.measured = p.add(p.lab.evaluateStep(m.made, m.spec, m.String()+seedText(m.seed), teacher, before))
	p.models = append(p.models, m)
	return m
}

// find gives a model; a teacher of a file serves every seed.
func (p *plan) find(s Subject, seed int64) *model {
	for _, m := range p.models {
		if m.Subject == s && (m.seed == seed || m.seed == NoSeed) {
			return m
		}
	}
	return nil
}

func (p *plan) teachers() {
	l := p.lab
	for i := range l.spec.Teachers {
		t := &l.spec.Teachers[i]
		if t.Model != "" {
			m := l.teachers[t.Name]
			s := &step{kind: "teacher", name: "teacher " + t.Name, done: true, hash: m.SHA256, file: m.Path, model: m}
			p.addModel(&model{Subject: Subject{Teacher: t.Name}, seed: NoSeed, made: s, spec: t})
			continue
		}
		for _, seed := range l.spec.Seeds {
			arch, err := architecture(t.Name, t.Preset, t.Layers, l.train.shape)
			s := p.add(l.trainStep(fmt.Sprintf("training teacher %s (seed %d)", t.Name, seed), arch, err, nil, nil,
				student.Config{Technique: student.Labels, Seed: seed}, t.Training.over(l.spec.Training), false))
			p.addModel(&model{Subject: Subject{Teacher: t.Name}, seed: int64(seed), made: s})
		}
	}
}

func architecture(name, preset string, layers []student.Layer, shape [3]int) (*student.Architecture, error) {
	if preset != "" {
		return student.Preset(preset, shape)
	}
	a := &student.Architecture{Name: name, Input: shape, Layers: layers}
	return a, a.Validate()
}

func (p *plan) students() {
	l := p.lab
	for ti := range l.spec.Techniques {
		tech := &l.spec.Techniques[ti]
		teachers := []string{""}
		if tech.Technique != student.Labels {
			teachers = names(l.spec.Teachers, func(t Teacher) string { return t.Name })
		}
		for _, teacher := range teachers {
			for si := range l.spec.Students {
				subject := Subject{Teacher: teacher, Student: l.spec.Students[si].Name, Technique: tech.Name}
				if tech.On.has(subject) {
					p.teach(tech, &l.spec.Students[si], subject)
				}
			}
		}
	}
}

// teach trains a student with every temperature and seed, and carries the best temperature on.
func (p *plan) teach(tech *Technique, st *Student, subject Subject) {
	l := p.lab
	temperatures := tech.Temperatures
	if len(temperatures) == 0 {
		temperatures = []float64{0}
	}
	arch, err := architecture(st.Name, st.Preset, st.Layers, l.train.shape)
	tries := make([][]try, len(l.spec.Seeds))
	var all []*step
	for _, t := range temperatures {
		for k, seed := range l.spec.Seeds {
			var from *model
			if subject.Teacher != "" {
				from = p.find(Subject{Teacher: subject.Teacher}, int64(seed))
			}
			name := fmt.Sprintf("training %s (seed %d)", subject, seed)
			if t > 0 {
				name = fmt.Sprintf("training %s at T = %v (seed %d)", subject, t, seed)
			}
			cfg := student.Config{Technique: tech.Technique, Temperature: t, Alpha: float(tech.Alpha), Beta: float(tech.Beta), Seed: seed}
			s := p.add(l.trainStep(name, arch, err, nil, from, cfg, tech.Training.over(l.spec.Training), tech.Extra))
			var against *model
			if tech.Adversarial != nil && tech.Adversarial.Form == staticForm {
				against = p.find(l.spec.attacked(tech, subject), int64(seed))
			}
			l.adversarialStep(s, tech, against, cfg)
			one := try{temperature: t, made: s}
			if len(temperatures) > 1 { // the curve over temperatures is of test accuracies too; they choose nothing
				one.measured = p.add(l.evaluateStep(s, nil, strings.TrimPrefix(name, "training "), nil, nil))
			}
			tries[k] = append(tries[k], one)
			all = append(all, s)
		}
	}
	for k, seed := range l.spec.Seeds {
		m := &model{Subject: subject, seed: int64(seed), tries: tries[k]}
		if m.made = tries[k][0].made; len(temperatures) > 1 {
			m.made = p.add(&step{kind: "choose", name: "the temperature of " + subject.String(), inputs: all, alias: func(*step) (*step, error) {
				t, err := bestTemperature(tries)
				if err != nil {
					return nil, err
				}
				return tries[k][t].made, nil
			}})
		}
		p.addModel(m)
	}
}

// bestTemperature is the one whose validation accuracy, or agreement where that is monitored, is best as the mean over seeds.
func bestTemperature(tries [][]try) (int, error) {
	best, most := -1, math.Inf(-1)
	for t := range tries[0] {
		sum := 0.0
		for _, seed := range tries {
			r, ok := seed[t].made.result.(*trained)
			if !ok || r.Valid == nil {
				return 0, errors.New("a training without validation figures")
			}
			sum += r.Valid.Accuracy
		}
		if sum > most {
			best, most = t, sum
		}
	}
	return best, nil
}

func (p *plan) retrained() {
	l := p.lab
	for i := range l.spec.Retrain {
		r := &l.spec.Retrain[i]
		t := r.Training.over(l.spec.Training)
		for _, m := range append([]*model{}, p.models...) {
			if m.retrainable() && r.On.has(m.Subject) {
				p.again(r, t, m)
			}
		}
		if r.StraightEpochs == 0 {
			continue
		}
		t.Epochs = r.StraightEpochs
		for _, st := range l.spec.Students {
			subject := Subject{Student: st.Name, Retrain: r.Name}
			if !r.On.has(subject) {
				continue
			}
			arch, err := architecture(st.Name, st.Preset, st.Layers, l.train.shape)
			for _, seed := range l.spec.Seeds {
				s := p.add(l.trainStep(fmt.Sprintf("training %s (seed %d)", subject, seed), arch, err, nil, nil,
					student.Config{Technique: student.Labels, Seed: seed}, t, false))
				p.addModel(&model{Subject: subject, seed: int64(seed), made: s})
			}
		}
	}
}

// again trains a model on robustly.
func (p *plan) again(r *Retrain, t Training, m *model) {
	subject := m.Subject
	subject.Retrain, subject.PrunedFirst = r.Name, m.Prune != ""
	s := p.add(p.lab.trainStep("training "+subject.String()+seedText(m.seed), nil, nil, m.made, nil,
		student.Config{Technique: student.Labels, Seed: uint64(m.seed)}, t, false))
	p.addModel(&model{Subject: subject, seed: m.seed, made: s})
}

// retrainedPruned trains pruned students on that a retraining names.
func (p *plan) retrainedPruned() {
	for i := range p.lab.spec.Retrain {
		r := &p.lab.spec.Retrain[i]
		for _, m := range append([]*model{}, p.models...) {
			if m.retrainablePruned() && r.On.has(m.Subject) {
				p.again(r, r.Training.over(p.lab.spec.Training), m)
			}
		}
	}
}

func (p *plan) pruned() {
	l := p.lab
	for i := range l.spec.Prune {
		pr := &l.spec.Prune[i]
		for _, m := range append([]*model{}, p.models...) {
			if m.Prune != "" || !pr.On.has(m.Subject) {
				continue
			}
			subject := m.Subject
			subject.Prune = pr.Name
			s := p.add(l.pruneStep("pruning "+m.String()+" by "+pr.Name+seedText(m.seed), m, pr))
			p.addModel(&model{Subject: subject, seed: m.seed, made: s, spec: m.spec, pruned: m})
		}
	}
}

// trained is what a training gave.
type trained struct {
	Temperature float64         `json:"temperature,omitempty"`
	Valid       *student.Score  `json:"valid"`
	History     []student.Epoch `json:"history"`
	Best        int             `json:"best_epoch"`
	Stopped     string          `json:"stopped"`
	Steps       int             `json:"steps"`
	Samples     int             `json:"samples"`
}

func (t *trained) words() string {
	if t.Valid == nil {
		return ""
	}
	if t.Valid.Accuracy < 0 { // of numbers, whose loss is the mean squared difference
		return fmt.Sprintf("validation RMSE %.4g", t.rmse())
	}
	return fmt.Sprintf("validation accuracy %s %%", report.Percent(t.Valid.Accuracy, 1))
}

// rmse is the root of the validation loss of numbers.
func (t *trained) rmse() float64 { return math.Sqrt(t.Valid.Loss) }

// trainStep trains: an architecture from random weights, or, where from is given, on from a model's weights.
func (l *lab) trainStep(name string, arch *student.Architecture, archErr error, from *step, teacher *model,
	cfg student.Config, t Training, extra bool) *step {
	t.into(&cfg)
	cfg.Numbers = l.spec.numbers()
	settings := map[string]any{"config": cfg, "architecture": arch, "data": l.train.identity(), "validation": l.spec.Data.Validation}
	if extra {
		settings["extra"] = l.extra.identity()
	}
	s := &step{kind: "train", version: 1, name: name, settings: settings, fresh: func() any { return &trained{} }}
	if from != nil {
		s.inputs = append(s.inputs, from)
	}
	if teacher != nil {
		s.inputs = append(s.inputs, teacher.made)
		teacher.spec.into(settings)
	}
	s.run = func(ctx context.Context, s *step) (any, *onnxio.Model, error) {
		if archErr != nil {
			return nil, nil, archErr
		}
		a := arch
		if from != nil {
			m, err := from.load()
			if err != nil {
				return nil, nil, err
			}
			if a, err = student.FromGraphContext(ctx, m.Graph); err != nil {
				return nil, nil, err
			}
		}
		train, valid, err := l.lesson(ctx, extra)
		if err != nil {
			return nil, nil, err
		}
		if teacher != nil {
			use, one := fmt.Sprint("train ", extra), infer.Once(ctx) // which ends here: training makes a graph in every epoch
			if train, err = l.ask(one, teacher.made, teacher.spec, use, train); err != nil {
				return nil, nil, fmt.Errorf("asking the teacher: %w", err)
			}
			if valid, err = l.ask(one, teacher.made, teacher.spec, "valid", valid); err != nil {
				return nil, nil, fmt.Errorf("asking the teacher: %w", err)
			}
		} else {
			one, two := *train, *valid
			one.Classes, two.Classes = a.Classes(), a.Classes()
			train, valid = &one, &two
		}
		c := cfg
		c.Threads = l.o.Threads
		var o student.Options
		if s.prepare != nil {
			if train, o, err = s.prepare(ctx, train); err != nil {
				return nil, nil, err
			}
		}
		r, err := l.learn(ctx, s.key, a, train, valid, c, o)
		if err != nil {
			return nil, nil, err
		}
		m, err := r.Model()
		if err != nil {
			return nil, nil, err
		}
		out := &trained{Temperature: cfg.Temperature, History: r.History, Best: r.BestEpoch, Stopped: r.Stopped, Steps: r.Steps, Samples: train.Len()}
		if r.BestEpoch > 0 {
			out.Valid = r.History[r.BestEpoch-1].Valid
		}
		return out, m, nil
	}
	return s
}

// learn trains with a checkpoint in the cache, so that a run that was cut off goes on, to the same weights bit for bit.
func (l *lab) learn(ctx context.Context, key string, a *student.Architecture, train, valid *student.Data, c student.Config,
	o student.Options) (*student.Result, error) {
	if o.Producer = "shoal " + l.o.Version; o.Before != nil { // what the hook has done is in no checkpoint
		return student.Train(ctx, a, train, valid, c, o)
	}
	o.Checkpoint, o.Resume = filepath.Join(l.o.Dir, "cache", "train-"+key[:24]+".checkpoint"), true
	t, err := student.Open(a, train, valid, c, o)
	if err != nil { // a checkpoint that cannot be read is as good as none
		if os.Remove(o.Checkpoint) != nil {
			return nil, err
		}
		if t, err = student.Open(a, train, valid, c, o); err != nil {
			return nil, err
		}
	}
	r, err := t.Run(ctx)
	if err != nil {
		return nil, err
	}
	if err := os.Remove(o.Checkpoint); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return r, nil
}

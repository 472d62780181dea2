package study

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/prune"
	"github.com/shallow-waters/shoal/student"
	"github.com/shallow-waters/shoal/verify"
)

var unknownKey = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(line \d+): field (\S+) not found in type \S+`) })

// Parse reads a study from YAML. Unknown keys are errors that name the line. Names that were left out are filled in.
func Parse(text []byte) (*Spec, error) {
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	s := &Spec{}
	if err := d.Decode(s); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the study is empty")
		}
		return nil, errors.New(unknownKey().ReplaceAllString(strings.TrimPrefix(err.Error(), "yaml: "), "$1: there is no key $2 here"))
	}
	if err := d.Decode(&Spec{}); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one YAML document")
	}
	if err := zeros(text); err != nil {
		return nil, err
	}
	s.fill()
	return s, s.Validate()
}

// fill gives names and sizes that were left out.
func (s *Spec) fill() {
	if s.Data.Validation == 0 {
		s.Data.Validation = 0.1
	}
	if len(s.Seeds) == 0 {
		s.Seeds = []uint64{0}
	}
	for i := range s.Teachers {
		if t := &s.Teachers[i]; t.Decision == string(trial.Regress) && s.Decision == "" {
			s.Decision = t.Decision
		}
	}
	for i := range s.Techniques {
		if t := &s.Techniques[i]; t.Name == "" {
			t.Name = string(t.Technique)
		}
	}
	for i := range s.Students {
		if t := &s.Students[i]; t.Name == "" {
			t.Name = t.Preset
		}
	}
	for i := range s.Prune {
		p := &s.Prune[i]
		if p.Score == "" {
			p.Score = prune.L1
		}
		if p.Name == "" {
			p.Name = string(p.Score)
			if p.Ratio > 0 {
				p.Name += fmt.Sprintf(" %v %%", 100*float64(p.Ratio))
			}
		}
	}
	for i := range s.Attacks {
		if a := &s.Attacks[i]; a.Name == "" {
			a.Name = a.Method
		}
	}
	if c := s.Certify; c != nil && c.Tolerance == 0 {
		c.Tolerance = c.MaxEps / 500
	}
}

// Validate reports all faults.
func (s *Spec) Validate() error {
	v := &validation{numbers: s.numbers()}
	v.check(s.Name != "", "name is missing")
	v.source("data.train", &s.Data.Train)
	v.source("data.test", &s.Data.Test)
	if s.Data.Extra != nil {
		v.source("data.extra", s.Data.Extra)
	}
	v.check(s.Data.Validation > 0 && s.Data.Validation < 1, "data.validation %v: want more than 0 and less than 1", s.Data.Validation)
	for i, n := range s.Seeds {
		v.check(!slices.Contains(s.Seeds[:i], n), "seeds: %d is there twice", n)
	}
	v.training("training", s.Training)
	v.check(s.Training.Robust == nil, "training.robust: robust training belongs to a teacher or to retrain")
	v.check(len(s.Teachers) > 0, "teachers: there is none")
	v.check(len(s.Students) == 0 || len(s.Techniques) > 0, "techniques: students have none")
	s.numbersOnly(v)
	s.people(v)
	s.work(v)
	s.claims(v)
	if len(v.faults) == 0 { // the rest looks at what names mean
		s.premises(v)
	}
	return errors.Join(v.faults...)
}

type validation struct {
	faults  []error
	numbers bool // the study is of them
}

func (v *validation) check(ok bool, format string, args ...any) {
	if !ok {
		v.faults = append(v.faults, fmt.Errorf(format, args...))
	}
}

func (v *validation) source(where string, s *Source) {
	v.check(strings.Contains(s.From, ":"), "%s.from %q: want KIND:PATH", where, s.From)
	v.check(s.Samples >= 0 && s.Skip >= 0, "%s: samples and skip are at least 0", where)
	v.check(s.Skip == 0 || s.Samples > 0, "%s.skip goes with samples", where)
	for i, n := range s.Labels {
		v.check(n != "" && !slices.Contains(s.Labels[:i], n), "%s.labels: name %d, %q, is empty or there twice", where, i, n)
	}
	if _, err := dataset.ParseSize(s.Resize); err != nil && s.Resize != "" {
		v.check(false, "%s.resize: %w", where, err)
	}
	if _, err := dataset.ParseCrop(s.Crop); err != nil && s.Crop != "" {
		v.check(false, "%s.crop: %w", where, err)
	}
}

func (v *validation) training(where string, t Training) {
	c := student.Config{Numbers: v.numbers}
	if t.into(&c); v.numbers {
		c.Robust = nil // numbersOnly says it, where it has a place to name
	}
	if err := c.Validate(); err != nil {
		v.check(false, "%s: %w", where, err)
	}
	v.check(t.Robust == nil || len(t.Robust.Kappa) == 0 || len(t.Robust.Kappa) == 2, "%s.robust.kappa: want two numbers", where)
}

// name checks that names are there and differ.
func (v *validation) name(where, name string, seen map[string]bool) {
	v.check(name != "", "%s: name is missing", where)
	v.check(!seen[name], "%s: the name %q is there twice", where, name)
	seen[name] = true
}

func (v *validation) architecture(where, preset string, fit bool, layers []student.Layer) {
	v.check((preset != "") != (len(layers) > 0), "%s: want either preset or layers", where)
	v.check(preset != "" || !fit, "%s: fit goes with preset", where)
	if preset != "" {
		if _, err := student.Preset(preset, [3]int{}); err != nil {
			v.check(false, "%s: %w", where, err)
		}
	}
}

func (s *Spec) people(v *validation) {
	seen := map[string]bool{}
	for i, t := range s.Teachers {
		where := fmt.Sprintf("teachers[%d]", i)
		v.name(where, t.Name, seen)
		if t.Model != "" {
			v.check(t.Preset == "" && len(t.Layers) == 0, "%s: a model has no preset and no layers", where)
		} else {
			v.architecture(where, t.Preset, t.Fit, t.Layers)
			v.check(t.Robust == nil, "%s: robust is for models: training says it of what is trained here", where)
			v.check(t.Mean == nil && t.Std == nil && t.Output == "" && t.Decision == "" && t.Hold == nil && t.BatchAxis == nil, "%s: mean, std, output, decision, hold and batch_axis are for models", where)
		}
		for _, text := range t.Hold {
			h, err := trial.ParseHold(text)
			if err == nil && h.Value == "" {
				err = fmt.Errorf("%q: want NAME=VALUE: images have no arrays of other inputs", text)
			}
			if err != nil {
				v.check(false, "%s.hold: %w", where, err)
			}
		}
		axes := map[string]int{}
		for _, text := range t.BatchAxis {
			name, axis, err := trial.ParseAxis(text)
			v.check(err == nil, "%s.batch_axis: %q: %w", where, text, err)
			if old, twice := axes[name]; twice && old != axis {
				v.check(false, "%s.batch_axis: %s has another axis already", where, name)
			}
			axes[name] = axis
		}
		if _, err := trial.ParseDecision(t.Decision); err != nil {
			v.check(false, "%s.decision: %w", where, err)
		}
		for _, x := range t.Std {
			v.check(x > 0, "%s: std %v is not more than 0", where, x)
		}
		v.training(where+".training", t.Training)
	}
	seen = map[string]bool{}
	for i, t := range s.Students {
		where := fmt.Sprintf("students[%d]", i)
		v.name(where, t.Name, seen)
		v.architecture(where, t.Preset, t.Fit, t.Layers)
	}
	seen = map[string]bool{}
	for i, t := range s.Techniques {
		where := fmt.Sprintf("techniques[%d]", i)
		v.name(where, t.Name, seen)
		v.on(where, s, t.On)
		v.training(where+".training", t.Training)
		v.check(t.Training.Robust == nil, "%s.training.robust: robust training belongs to a teacher or to retrain", where)
		v.check(!t.Extra || s.Data.Extra != nil, "%s.extra: data.extra is missing", where)
		v.check(!t.Extra || t.Technique != student.Labels, "%s.extra: the extra images have no labels", where)
		s.adversarial(v, where+".adversarial", i)
		temperatures := t.Temperatures
		if len(temperatures) == 0 {
			temperatures = []float64{0}
		}
		for _, x := range temperatures {
			c := student.Config{Technique: t.Technique, Numbers: v.numbers, Temperature: x, Alpha: float(t.Alpha), Beta: float(t.Beta)}
			if err := c.Validate(); err != nil {
				v.check(false, "%s: %w", where, err)
			}
			v.check(x > 0 || len(t.Temperatures) == 0, "%s.temperatures: %v is not more than 0", where, x)
		}
	}
}

func (s *Spec) work(v *validation) {
	seen := map[string]bool{}
	for i, p := range s.Prune {
		where := fmt.Sprintf("prune[%d]", i)
		v.name(where, p.Name, seen)
		v.on(where, s, p.On)
		if err := p.choice().Validate(); err != nil {
			v.check(false, "%s: %w", where, err)
		}
		v.check(p.Ratio > 0 || len(p.Thresholds) > 0 || p.choice().Budgeted() || p.Score == prune.ProvenDead, "%s: nothing says how much to remove: ratio, thresholds, max_parameters, max_macs or score: proven-dead", where)
	}
	seen = map[string]bool{}
	for i, r := range s.Retrain {
		where := fmt.Sprintf("retrain[%d]", i)
		v.name(where, r.Name, seen)
		v.on(where, s, r.On)
		v.training(where+".training", r.Training)
		v.check(r.Training.Robust != nil, "%s.training.robust is missing", where)
		v.check(r.StraightEpochs >= 0, "%s.straight_epochs is at least 0", where)
		v.check(r.On.Retrained == nil, "%s.on.retrained: what is retrained is not retrained again", where)
	}
	seen = map[string]bool{}
	for i, a := range s.Attacks {
		where := fmt.Sprintf("attacks[%d]", i)
		v.name(where, a.Name, seen)
		v.on(where, s, a.On)
		if _, err := a.method(); err != nil {
			v.check(false, "%s: %w", where, err)
		}
		v.check(len(a.Eps) > 0, "%s.eps is missing", where)
		v.eps(where+".eps", a.Eps)
		v.check(a.Images >= 0, "%s.images is at least 0", where)
	}
	if c := s.Certify; c != nil {
		v.check(len(c.Domains) > 0, "certify.domains is missing")
		for i, d := range c.Domains {
			m, _ := domainOf(d)
			v.check(slices.Contains(verify.Methods(), string(m)), "certify.domains: %q is none of %v", d, verify.Methods())
			v.check(!slices.Contains(c.Domains[:i], d), "certify.domains: %s is there twice", d)
		}
		v.check(c.MaxEps > 0 && c.MaxEps <= 1, "certify.max_eps %v: want more than 0 and at most 1", c.MaxEps)
		v.check(c.Tolerance > 0, "certify.tolerance %v: want more than 0", c.Tolerance)
		v.check(c.Timeout.Duration == 0 || slices.ContainsFunc(c.Domains, searches), "certify.timeout: none of %v takes long: it is for auto and complete",
			c.Domains)
		v.eps("certify.eps", c.Eps)
		v.check(c.Images >= 0, "certify.images is at least 0")
		v.on("certify", s, c.On)
	}
}

// plain ends a domain's name that is to be used as published.
const plain = "-plain"

// domainOf reads a domain's name.
func domainOf(name string) (m verify.Method, bare bool) {
	if slices.Contains(verify.Methods(), name) {
		return verify.Method(name), false
	}
	name, bare = strings.CutSuffix(name, plain)
	return verify.Method(name), bare
}

// searches tells that a domain goes on by a search where bounds end.
func searches(domain string) bool {
	return domain == string(verify.Auto) || domain == string(verify.Complete)
}

func (v *validation) eps(where string, list []float64) {
	for i, e := range list {
		v.check(e >= 0 && e <= 1 && !math.IsNaN(e), "%s: %v is not between 0 and 1", where, e)
		v.check(i == 0 || e > list[i-1], "%s: %v is not more than the one before", where, e)
	}
}

// on checks that names are known.
func (v *validation) on(where string, s *Spec, o On) {
	v.known(where+".on.teachers", o.Teachers, names(s.Teachers, func(t Teacher) string { return t.Name }))
	v.known(where+".on.students", o.Students, names(s.Students, func(t Student) string { return t.Name }))
	v.known(where+".on.techniques", o.Techniques, names(s.Techniques, func(t Technique) string { return t.Name }))
	v.known(where+".on.pruned", o.Pruned, names(s.Prune, func(t Prune) string { return t.Name }))
	v.known(where+".on.retrained", o.Retrained, names(s.Retrain, func(t Retrain) string { return t.Name }))
}

func (v *validation) known(where string, list, known []string) {
	for _, n := range list {
		v.check(slices.Contains(known, n), "%s: %q is none of %s", where, n, strings.Join(known, ", "))
	}
}

func names[T any](list []T, name func(T) string) []string {
	var out []string
	for _, t := range list {
		out = append(out, name(t))
	}
	return out
}

func (s *Spec) claims(v *validation) {
	for i, c := range s.Claims {
		where := fmt.Sprintf("claims[%d]", i)
		v.check(c.Claim >= 1 && c.Claim <= len(theses), "%s.claim %d: want 1 to %d", where, c.Claim, len(theses))
		v.check(or0(c.Margin) >= 0, "%s.margin is at least 0", where)
		v.on(where, s, On{Teachers: one(c.Teacher), Students: c.Students, Techniques: c.Techniques, Pruned: one(c.Prune), Retrained: one(c.Retrain)})
		v.known(where+".attack", one(c.Attack), names(s.Attacks, func(a Attack) string { return a.Name }))
	}
}

// method makes the attack.
func (a Attack) method() (attack.Attack, error) {
	return attack.New(a.Method, attack.Effort{Steps: a.Steps, Restarts: a.Restarts, Step: float64(a.Step), Decay: float64(a.Decay)})
}

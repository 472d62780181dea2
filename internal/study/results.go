package study

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/student"
)

// Results are everything that a study gave, as flat rows.
type Results struct {
	Spec     *Spec         `json:"study"`
	SpecHash string        `json:"study_sha256"`
	Version  string        `json:"shoal_version"`
	Engine   string        `json:"engine"`
	Data     []DataRow     `json:"data"`
	Models   []ModelRow    `json:"models"`
	Tries    []TryRow      `json:"tries"`
	Attacks  []AttackRow   `json:"attacks"`
	Radii    []RadiusRow   `json:"radii"`
	Claims   []ClaimResult `json:"claims"`
	Failures []Failure     `json:"failures"`
	Steps    []StepRow     `json:"steps"`
	// Overlaps are images that stand in several sets, where the study allows that.
	Overlaps []Overlap `json:"overlaps,omitempty"`

	level float64 // of intervals; 0 is trial.Level
}

// confidence is that of the intervals of checks.
func (r *Results) confidence() float64 {
	if r.level == 0 {
		return trial.Level
	}
	return r.level
}

// DataRow is a set of images.
type DataRow struct {
	Use     string `json:"use"`
	From    string `json:"from"`
	Split   string `json:"split"`
	Range   string `json:"range,omitempty"`
	Samples int    `json:"samples"`
	Random  bool   `json:"random"` // chosen at random
	SHA256  string `json:"sha256"`
	// Pixels are what balls around the samples are cut by, LOW:HIGH or none; "" is 0:1.
	Pixels string `json:"pixel_range,omitempty"`
}

func pixelsOf(v dataset.PixelRange) string {
	switch {
	case !v.Cut():
		return "none"
	case v.Low == 0 && v.High == 1:
		return ""
	}
	return fmt.Sprintf("%v:%v", v.Low, v.High)
}

// ModelRow is a model and how it does on the test images.
type ModelRow struct {
	Subject
	Seed       int64   `json:"seed"` // NoSeed for teachers of files
	SHA256     string  `json:"sha256"`
	Parameters int     `json:"parameters"`
	Samples    int     `json:"samples"`
	Correct    int     `json:"correct"`
	Right      []byte  `json:"right,omitempty"`     // which images, one bit each, the first in the lowest
	Agreement  *int    `json:"agreement,omitempty"` // images with its teacher's class
	T          float64 `json:"temperature,omitempty"`
	Valid      float64 `json:"valid_accuracy,omitempty"`
	Epochs     int     `json:"epochs,omitempty"`
	BestEpoch  int     `json:"best_epoch,omitempty"`
	Seconds    float64 `json:"seconds,omitempty"` // of training or pruning
	// Asked is what was asked of it.
	Asked *trial.Description `json:"subject,omitempty"`
	// of pruned models
	Pruned *PrunedRow `json:"pruned,omitempty"`
	// Numbers is there where outputs are numbers, and nothing is correct or not.
	Numbers *NumbersRow `json:"numbers,omitempty"`
}

// NumbersRow is how far a model's numbers on the test images are from others.
type NumbersRow struct {
	Teacher *student.Deviation `json:"teacher,omitempty"`        // from those of the teacher that it learned from
	Targets *student.Deviation `json:"targets,omitempty"`        // from what the data says
	Before  *student.Deviation `json:"before_pruning,omitempty"` // from those of the model that it was pruned from
	Valid   float64            `json:"valid_rmse,omitempty"`     // by which its epoch was chosen
}

// MarshalJSON leaves out what is said of classes alone, where there are none.
func (m ModelRow) MarshalJSON() ([]byte, error) {
	type row ModelRow
	if m.Numbers == nil {
		return json.Marshal(row(m))
	}
	return json.Marshal(struct {
		row
		Correct *int `json:"correct"` // null
	}{row: row(m)})
}

// Accuracy is the share of the test images that the model gets right.
func (m *ModelRow) Accuracy() float64 { return float64(m.Correct) / float64(m.Samples) }

// PrunedRow is what pruning took from a model.
type PrunedRow struct {
	prunedResult
	CorrectBefore int `json:"correct_before"` // this and the next are null of numbers
	Same          int `json:"same"`           // images with the class that they had before

	numbers bool
}

// MarshalJSON leaves out what is said of classes alone, where there are none.
func (p PrunedRow) MarshalJSON() ([]byte, error) {
	type row PrunedRow
	if !p.numbers {
		return json.Marshal(row(p))
	}
	return json.Marshal(struct {
		row
		CorrectBefore *int `json:"correct_before"`
		Same          *int `json:"same"`
	}{row: row(p)})
}

// UnmarshalJSON reads what MarshalJSON wrote: where there are no classes, nothing is the same or not.
func (p *PrunedRow) UnmarshalJSON(b []byte) error {
	type row PrunedRow
	classes := struct {
		Same *int `json:"same"`
	}{}
	if err := errors.Join(json.Unmarshal(b, (*row)(p)), json.Unmarshal(b, &classes)); err != nil {
		return err
	}
	p.numbers = classes.Same == nil
	return nil
}

// TryRow is a training with one of several temperatures.
type TryRow struct {
	Subject
	Seed     int64   `json:"seed"`
	T        float64 `json:"temperature"`
	Valid    float64 `json:"valid_accuracy"`
	Accuracy float64 `json:"accuracy"`
	Chosen   bool    `json:"chosen"`
}

// AttackRow is a model under an attack. Of numbers all are correct, and robust those of which no output was driven beyond the tolerance.
type AttackRow struct {
	Subject
	Seed    int64         `json:"seed"`
	Attack  string        `json:"attack"`
	Samples int           `json:"samples"`
	Correct int           `json:"correct"`
	Eps     []float64     `json:"eps"`
	Robust  []int         `json:"robust"`
	Stands  [][]byte      `json:"stands,omitempty"` // which images at each eps, one bit each, the first in the lowest
	Flags   []report.Flag `json:"flags,omitempty"`
}

// RadiusRow are a model's radii; Domain is "attack" for the upper curve.
type RadiusRow struct {
	Subject
	Seed   int64  `json:"seed"`
	Domain string `json:"domain"`
	radii
}

// upperDomain stands for the attack's upper curve among the domains.
const upperDomain = "attack"

// Failure is a step that did not come to an end.
type Failure struct {
	Step  string `json:"step"`
	Error string `json:"error"`
}

// StepRow is a step, for the record.
type StepRow struct {
	Name    string  `json:"name"`
	Key     string  `json:"key"`
	Seconds float64 `json:"seconds"`
}

// gather collects what the steps gave.
func (p *plan) gather() (*Results, error) {
	l := p.lab
	spec, err := json.Marshal(l.spec)
	if err != nil {
		return nil, err
	}
	r := &Results{Spec: l.spec, SpecHash: hashOf(spec), Version: l.o.Version, Engine: l.o.Engine.Engine, Overlaps: l.overlap}
	if r.Engine == "" {
		r.Engine = "go"
	}
	for use, m := range map[string]*images{"train": l.train, "extra": l.extra, "test": l.test} {
		if m != nil {
			r.Data = append(r.Data, DataRow{use, m.source.From, m.source.Split, m.source.Range, len(m.index), m.source.Samples > 0, m.set.SHA256,
				pixelsOf(m.set.Valid)})
		}
	}
	slices.SortFunc(r.Data, func(a, b DataRow) int { return -compareText(a.Use, b.Use) })
	for _, s := range p.steps {
		switch {
		case s.alias != nil || errors.Is(s.err, ErrSkipped):
		case s.err != nil:
			r.Failures = append(r.Failures, Failure{s.name, s.err.Error()})
		default:
			r.Steps = append(r.Steps, StepRow{s.name, s.key, s.seconds})
		}
	}
	for _, m := range p.models {
		p.gatherModel(r, m)
	}
	for _, a := range p.attacks {
		if x, ok := a.step.result.(*attacked); ok && a.step.err == nil {
			r.Attacks = append(r.Attacks, AttackRow{a.of.Subject, a.of.seed, a.what, x.Samples, x.Correct, x.Eps, x.Robust, x.Stands, x.Flags})
		}
	}
	for _, list := range [][]measured{p.radii, p.uppers} {
		for _, a := range list {
			if x, ok := a.step.result.(*radii); ok && a.step.err == nil {
				r.Radii = append(r.Radii, RadiusRow{a.of.Subject, a.of.seed, a.what, *x})
			}
		}
	}
	r.Claims = CheckClaims(r, l.spec.Claims)
	return r, nil
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (p *plan) gatherModel(r *Results, m *model) {
	e, ok := m.measured.result.(*evaluated)
	if !ok || m.measured.err != nil {
		return
	}
	row := ModelRow{Subject: m.Subject, Seed: m.seed, SHA256: m.made.hash, Parameters: e.Parameters, Samples: e.Samples, Correct: e.Correct,
		Right:   e.Right,
		Seconds: m.made.seconds, Asked: e.Asked}
	numbers := p.lab.spec.numbers()
	if numbers {
		row.Numbers = &NumbersRow{Teacher: e.Teacher, Targets: e.Targets, Before: e.Before}
	}
	if t, ok := m.made.result.(*trained); ok {
		row.T, row.Epochs, row.BestEpoch = t.Temperature, len(t.History), t.Best
		switch {
		case t.Valid != nil && numbers:
			row.Numbers.Valid = t.rmse()
		case t.Valid != nil:
			row.Valid = t.Valid.Accuracy
		}
	}
	same := func(of *model) *int {
		if of == nil || of.measured.err != nil {
			return nil
		}
		o, ok := of.measured.result.(*evaluated)
		if !ok {
			return nil
		}
		n := 0
		for i, c := range e.Classes {
			if o.Classes[i] == c && e.decided(i) && o.decided(i) {
				n++
			}
		}
		return &n
	}
	if m.Teacher != "" && m.Student != "" && !numbers {
		row.Agreement = same(p.find(Subject{Teacher: m.Teacher}, m.seed))
	}
	if pr, ok := m.made.result.(*prunedResult); ok {
		if n := same(m.pruned); n != nil {
			row.Pruned = &PrunedRow{*pr, m.pruned.measured.result.(*evaluated).Correct, *n, numbers}
		}
	}
	r.Models = append(r.Models, row)
	for _, t := range m.tries {
		if t.measured == nil || t.measured.err != nil || t.made.err != nil {
			continue
		}
		tr := t.made.result.(*trained)
		te := t.measured.result.(*evaluated)
		one := TryRow{Subject: m.Subject, Seed: m.seed, T: t.temperature, Accuracy: float64(te.Correct) / float64(te.Samples),
			Chosen: t.temperature == row.T}
		if tr.Valid != nil {
			one.Valid = tr.Valid.Accuracy
		}
		r.Tries = append(r.Tries, one)
	}
}

// MarshalJSON writes null for ends that are not there.
func (i Interval) MarshalJSON() ([]byte, error) {
	f := func(v float64) *float64 {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
		return &v
	}
	return json.Marshal(map[string]any{"mean": f(i.Mean), "low": f(i.Low), "high": f(i.High), "n": i.N})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (i *Interval) UnmarshalJSON(b []byte) error {
	var v struct {
		Mean, Low, High *float64
		N               int
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	f := func(p *float64) float64 {
		if p == nil {
			return math.NaN()
		}
		return *p
	}
	*i = Interval{f(v.Mean), f(v.Low), f(v.High), v.N}
	return nil
}

// seedsOf are the seeds of a subject, in order.
func (r *Results) seedsOf(s Subject) []int64 {
	var out []int64
	for i := range r.Models {
		if r.Models[i].Subject == s {
			out = append(out, r.Models[i].Seed)
		}
	}
	return out
}

// subjects lists the subjects of the models, each once, in order.
func (r *Results) subjects() []Subject {
	var out []Subject
	for i := range r.Models {
		if !slices.Contains(out, r.Models[i].Subject) {
			out = append(out, r.Models[i].Subject)
		}
	}
	return out
}

func (r *Results) model(s Subject, seed int64) *ModelRow {
	for i := range r.Models {
		if m := &r.Models[i]; m.Subject == s && (m.Seed == seed || m.Seed == NoSeed) {
			return m
		}
	}
	return nil
}

func (r *Results) radius(s Subject, seed int64, domain string) *RadiusRow {
	for i := range r.Radii {
		if m := &r.Radii[i]; m.Subject == s && m.Domain == domain && (m.Seed == seed || m.Seed == NoSeed) {
			return m
		}
	}
	return nil
}

func (r *Results) attack(s Subject, seed int64, name string) *AttackRow {
	for i := range r.Attacks {
		if m := &r.Attacks[i]; m.Subject == s && m.Attack == name && (m.Seed == seed || m.Seed == NoSeed) {
			return m
		}
	}
	return nil
}

func (r *RadiusRow) mean() float64 { return mean(r.Radius) }

// certified is the share of all images that are classified rightly and whose radius is at least eps; for the attack's curve the share that
// it leaves at eps.
func (r *RadiusRow) certified(eps float64) float64 {
	n := 0
	for i, x := range r.Radius {
		if !r.Correct[i] {
			continue
		}
		if r.Domain == upperDomain {
			if x > eps || r.Open != nil && r.Open[i] {
				n++
			}
		} else if x >= eps {
			n++
		}
	}
	return float64(n) / float64(len(r.Radius))
}

func (f Failure) String() string { return fmt.Sprintf("%s: %s", f.Step, f.Error) }

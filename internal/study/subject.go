package study

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/onnxio"
)

// Subject is a model of the study, apart from the seed: what it is and where it comes from.
type Subject struct {
	Teacher   string `json:"teacher,omitempty"`   // the teacher, or the one that it learned from; "" for labels
	Student   string `json:"student,omitempty"`   // "" for the teacher itself
	Technique string `json:"technique,omitempty"` // "" for teachers and for straight robust training
	Retrain   string `json:"retrain,omitempty"`
	Prune     string `json:"prune,omitempty"`
	// PrunedFirst tells that it was pruned and then retrained, and not the other way round.
	PrunedFirst bool `json:"pruned_first,omitempty"`
}

// retrainable tells whether a subject may be trained on robustly: a student that was distilled, or learned from labels.
func (s Subject) retrainable() bool {
	return s.Student != "" && s.Technique != "" && s.Retrain == "" && s.Prune == ""
}

// retrainablePruned is the same for one that was pruned.
func (s Subject) retrainablePruned() bool {
	whole := s
	whole.Prune = ""
	return s.Prune != "" && whole.retrainable()
}

// String names a subject for people.
func (s Subject) String() string {
	var out string
	switch {
	case s.Student == "":
		out = s.Teacher
	case s.Technique == "":
		out = s.Student + ", straight"
	case s.Teacher == "":
		out = fmt.Sprintf("%s, %s", s.Student, s.Technique)
	default:
		out = fmt.Sprintf("%s, %s from %s", s.Student, s.Technique, s.Teacher)
	}
	var then []string
	if s.Retrain != "" {
		then = append(then, s.Retrain)
	}
	if s.Prune != "" {
		then = append(then, "pruned "+s.Prune)
	}
	if s.PrunedFirst {
		slices.Reverse(then)
	}
	for _, t := range then {
		out += ", " + t
	}
	return out
}

// has tells whether a subject is meant.
func (o On) has(s Subject) bool {
	in := func(list []string, name string) bool { return name == "" || list == nil || slices.Contains(list, name) }
	return in(o.Teachers, s.Teacher) && in(o.Students, s.Student) && in(o.Techniques, s.Technique) && in(o.Retrained, s.Retrain) &&
		(s.Prune == "" || slices.Contains(o.Pruned, s.Prune))
}

// NoSeed stands for the seed of what is not trained here.
const NoSeed = -1

// model is a subject with a seed: the step that makes it, and the step that measures it.
type model struct {
	Subject
	seed     int64
	made     *step
	measured *step
	spec     *Teacher // whose mean and std hold, for teachers of files
	// tries are a student's trainings with each temperature; pruned is the model that this one was pruned from.
	tries  []try
	pruned *model
}

// try is a training with one temperature.
type try struct {
	temperature float64
	made        *step
	measured    *step
}

func seedText(seed int64) string {
	if seed == NoSeed {
		return ""
	}
	return fmt.Sprintf(" (seed %d)", seed)
}

func joined(list []string) string { return strings.Join(list, ", ") }

// inputs are what becomes of a model's inputs: images are those of one of them, and the others are held as the teacher says.
func (t *Teacher) inputs(ctx context.Context, m *onnxio.Model) (*trial.Inputs, error) {
	var given trial.Given
	if t != nil {
		for _, text := range t.Hold {
			h, err := trial.ParseHold(text)
			if err != nil {
				return nil, err
			}
			given.Hold = append(given.Hold, h)
		}
		for _, text := range t.BatchAxis {
			name, axis, err := trial.ParseAxis(text)
			if err != nil {
				return nil, err
			}
			if given.Axes == nil {
				given.Axes = map[string]int{}
			}
			given.Axes[name] = axis
		}
	}
	in, err := trial.NewInputs(m, given)
	if err == nil {
		err = in.Take(ctx, nil)
	}
	if err == nil {
		err = in.Settled()
	}
	return in, err
}

// asked is a step's model with what is asked of it: as the study says of numbers, as its teacher says where it is one of a file, else as it is read.
func (s *Spec) asked(ctx context.Context, made *step, t *Teacher, v trial.View) (*trial.Subject, error) {
	file, err := made.load()
	if err != nil {
		return nil, err
	}
	in, err := t.inputs(ctx, file)
	if err == nil {
		file, err = in.Model(ctx, v, 0)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", made.name, err)
	}
	output, decision := "", s.Decision
	if t != nil {
		if output = t.Output; decision == "" {
			decision = t.Decision
		}
	}
	want, err := trial.ParseDecision(decision)
	if err != nil {
		return nil, err
	}
	sub, err := trial.Read(ctx, file, output, want)
	if err == nil {
		err = sub.Take(in)
	}
	if err == nil && v != trial.Fed { // a question about balls
		sub.Tolerance = s.tolerance()
	}
	if err == nil && s.numbers() {
		err = sub.Answers()
	} else if err == nil {
		err = sub.Classified()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", made.name, err)
	}
	return sub, nil
}

// into puts what a teacher of a file says about it among a step's settings.
func (t *Teacher) into(settings map[string]any) {
	if t == nil {
		return
	}
	settings["mean"], settings["std"] = t.Mean, t.Std
	if t.Output != "" {
		settings["output"] = t.Output
	}
	if t.Decision != "" {
		settings["decision"] = t.Decision
	}
	if t.Hold != nil {
		settings["hold"] = t.Hold
	}
	if t.BatchAxis != nil {
		settings["batch_axis"] = t.BatchAxis
	}
}

package trial

import (
	"math/big"

	"github.com/shallow-waters/shoal/verify"
)

// Description is a subject in reports.
type Description struct {
	Inputs        []string       `json:"inputs"`
	Output        string         `json:"output"`
	Decision      *string        `json:"decision"`         // null where there is none
	Classes       int            `json:"classes"`          // 0 where the decision has none
	Labels        []string       `json:"labels,omitempty"` // their names, where these are known
	Tolerance     *float64       `json:"tolerance,omitempty"`
	Batch         BatchAxes      `json:"batch"`
	Preprocessing *Preprocessing `json:"preprocessing"` // null where the model is given the file's own numbers
	Held          []string       `json:"held"`          // inputs that keep their values
	// HeldAt says what each of them is held at: the value as it was given, or data.
	HeldAt map[string]string `json:"held_at,omitempty"`
}

// BatchAxes are the axes along which samples lie, one for each input and output; null where there is none.
type BatchAxes struct {
	Inputs  []*int `json:"inputs"`
	Outputs []*int `json:"outputs"`
}

// Along notes the axes that a batch was seen to have in the outputs; -1 where none was. What has none stays so.
func (b *BatchAxes) Along(axes []int) {
	for k := range min(len(axes), len(b.Outputs)) {
		if axes[k] >= 0 && b.Outputs[k] != nil {
			b.Outputs[k] = &axes[k]
		}
	}
}

// Preprocessing is what is done to pixels before the model takes them.
type Preprocessing struct {
	Mean   []float64 `json:"mean"`
	Std    []float64 `json:"std"`
	Layout string    `json:"layout"` // of a picture: channels first or last
}

// Describe is the subject as it was asked; samples may be nil.
func (s *Subject) Describe(samples *Samples) Description {
	d := Description{Inputs: []string{}, Output: s.Output, Classes: s.Classes(), Labels: s.Labels, Held: []string{},
		Batch: BatchAxes{[]*int{}, []*int{}}}
	if s.Decision.Kind != None {
		text := s.Decision.String()
		d.Decision = &text
	}
	if s.Tolerance != nil {
		t, _ := s.Tolerance.T.Float64()
		d.Tolerance = &t
	}
	if s.Inputs != nil {
		s.Inputs.describe(&d)
	} else {
		first := 0
		for _, v := range s.Model.Graph.Inputs {
			if v.Const != nil {
				continue
			}
			d.Inputs = append(d.Inputs, v.Name)
			d.Batch.Inputs = append(d.Batch.Inputs, &first)
		}
	}
	axis := &s.axis
	if s.axis < 0 {
		axis = nil
	}
	d.Batch.Outputs = append(d.Batch.Outputs, axis)
	if samples != nil && samples.Images() {
		d.Preprocessing = &Preprocessing{Mean: samples.Mean, Std: samples.Std, Layout: "channels first"}
		if samples.Last {
			d.Preprocessing.Layout = "channels last"
		}
	}
	return d
}

// describe tells of all inputs of the file.
func (in *Inputs) describe(d *Description) {
	for i := range in.all {
		x := &in.all[i]
		d.Inputs = append(d.Inputs, x.name)
		var axis *int
		if x.axis >= 0 {
			axis = &x.axis
		}
		d.Batch.Inputs = append(d.Batch.Inputs, axis)
	}
	if d.Held = in.Held(); len(d.Held) > 0 {
		d.HeldAt = in.HeldAt()
	}
}

// Robust is the property that every point of the ball is decided as label.
func (s *Subject) Robust(ball verify.Ball, label int) verify.Property {
	if s.Decision.Kind == Threshold {
		return verify.OneSided(ball, label, new(big.Rat).Set(s.Decision.At))
	}
	return verify.Robust(ball, label, s.Classes())
}

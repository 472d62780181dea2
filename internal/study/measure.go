package study

import (
	"context"
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/onnxio/infer"
	"github.com/shallow-waters/shoal/student"
)

// evaluated is how a model does on the test images.
type evaluated struct {
	Samples    int    `json:"samples"`
	Correct    int    `json:"correct"`
	Classes    []byte `json:"classes"` // that it gives, image by image
	Right      []byte `json:"right"`   // which images it gets right, one bit each
	Parameters int    `json:"parameters"`
	Engine     string `json:"engine"`
	// Of numbers, in place of classes: how far they are from the teacher's, from the data's, and from those before pruning.
	Teacher *student.Deviation `json:"teacher,omitempty"`
	Targets *student.Deviation `json:"targets,omitempty"`
	Before  *student.Deviation `json:"before,omitempty"`
	// Undecided are the images whose scores decide nothing: they count as wrong, and agree with no other's.
	Undecided []int `json:"undecided,omitempty"`
	// Asked is what was asked of the model.
	Asked *trial.Description `json:"subject,omitempty"`
}

// decided tells whether the scores of an image decide a class.
func (e *evaluated) decided(i int) bool {
	_, none := slices.BinarySearch(e.Undecided, i)
	return !none
}

func (e *evaluated) words() string {
	text := fmt.Sprintf("accuracy %s %%", report.Percent(float64(e.Correct)/float64(e.Samples), 2))
	if e.Classes == nil {
		text = e.errorWords()
	}
	if n := len(e.Undecided); n > 0 {
		text += fmt.Sprintf("; the scores of %d images decide nothing, since one is NaN or the largest is infinite: they count as wrong", n)
	}
	if e.Asked != nil && e.Asked.Decision != nil {
		text += fmt.Sprintf("; scores: output %s, decision: %s", e.Asked.Output, *e.Asked.Decision)
	}
	return text
}

// errorWords tells how far numbers are from others.
func (e *evaluated) errorWords() string {
	text := "numbers"
	for _, d := range []struct {
		from string
		*student.Deviation
	}{{"its teacher", e.Teacher}, {"the data", e.Targets}, {"before pruning", e.Before}} {
		if d.Deviation != nil {
			text += fmt.Sprintf(", RMSE %.4g from %s", d.RMSE, d.from)
		}
	}
	return text
}

// evaluateStep runs a model on all test images. Its numbers are compared with those of teacher and before, where these are not nil.
func (l *lab) evaluateStep(of *step, spec *Teacher, name string, teacher, before *model) *step {
	settings := map[string]any{"data": l.test.identity(), "engine": l.o.Engine.Engine}
	spec.into(settings)
	l.decisionInto(settings, false)
	inputs := []*step{of}
	for what, m := range map[string]*model{"teacher": teacher, "before": before} {
		if m != nil {
			own := map[string]any{}
			m.spec.into(own)
			settings[what] = own
		}
	}
	for _, m := range []*model{teacher, before} {
		if m != nil {
			inputs = append(inputs, m.made)
		}
	}
	return &step{kind: "evaluate", version: 3, name: "testing " + name, settings: settings, inputs: inputs,
		fresh: func() any { return &evaluated{} },
		run: func(ctx context.Context, _ *step) (any, *onnxio.Model, error) {
			ctx = infer.Once(ctx)
			m, err := of.load()
			if err != nil {
				return nil, nil, err
			}
			sub, err := l.spec.asked(ctx, of, spec, trial.Fed)
			if err != nil {
				return nil, nil, err
			}
			s, err := engine.Open(ctx, sub.Model, l.o.Engine)
			if err != nil {
				return nil, nil, err
			}
			defer s.Close()
			d, err := l.test.load(ctx)
			if err != nil {
				return nil, nil, err
			}
			one := *d
			var o student.TeacherOptions
			if spec != nil {
				if o.Mean, o.Std, err = trial.Spread(spec.Mean, spec.Std, d.Shape[0]); err != nil {
					return nil, nil, err
				}
			}
			z, err := student.TeacherLogits(ctx, s, &one, o) // of what the model says, with a softmax or without
			if err != nil {
				return nil, nil, err
			}
			e := &evaluated{Samples: d.Len(), Engine: s.Engine(), Parameters: parameters(m.Graph)}
			k := len(z) / d.Len()
			if err := sub.Fits(k); err != nil {
				return nil, nil, err
			}
			if n := sub.Classes(); n > 256 {
				return nil, nil, fmt.Errorf("%d classes; a study takes up to 256", n)
			}
			asked := sub.Describe(nil)
			if e.Asked = &asked; l.spec.numbers() {
				return e, nil, l.deviations(ctx, e, z, d, teacher, before)
			}
			e.Right = make([]byte, (d.Len()+7)/8)
			scores := make([]float64, k)
			for i, label := range d.Labels {
				for j := range scores {
					scores[j] = float64(z[i*k+j])
				}
				c := sub.Decision.Class(scores)
				if c < 0 {
					e.Undecided = append(e.Undecided, i)
				}
				e.Classes = append(e.Classes, byte(c))
				if c == label {
					e.Right[i/8] |= 1 << (i % 8)
					e.Correct++
				}
			}
			return e, nil, nil
		}}
}

// parameters counts a graph's floating-point weights.
func parameters(g *onnxio.Graph) int {
	n := 0
	seen := map[*onnxio.Value]bool{}
	for _, node := range g.Nodes {
		for _, v := range node.Inputs {
			if v != nil && v.Const != nil && !seen[v] && v.Const.DType.IsFloat() {
				seen[v] = true
				n += onnxio.NumElements(v.Const.Shape)
			}
		}
	}
	return n
}

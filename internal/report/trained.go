package report

import (
	"math"

	"github.com/shallow-waters/shoal/internal/foreign"
)

// TrainSum is what a student learned, of what, and how.
type TrainSum struct {
	Data       []DataSource
	Train      int // samples
	Validation int
	Version    string
	Teacher    *Teacher // nil without one

	// Of one run:
	History   any // its epochs, as package student has them
	Epochs    int // how many they are
	BestEpoch int
	Stopped   string // by what
	Numbers   bool   // outputs are numbers: there is no accuracy
	Steps     int
	Seconds   float64
	Student   *Student // nil where none was written
	Test      *Score   // nil where it was not tested
}

// DataSource is a data set that was learned from or measured on.
type DataSource struct {
	Use     string `json:"use"`
	Data    string `json:"data"`
	Split   string `json:"split"`
	Range   string `json:"range,omitempty"`
	Samples int    `json:"samples"`
	Resize  string `json:"resize,omitempty"`
	EXIF    bool   `json:"exif,omitempty"`
	SHA256  string `json:"sha256"`
}

// Teacher is the model that was learned from.
type Teacher struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
	Engine string `json:"engine"`
	Test   *Score `json:"test"` // on the student's test data
}

// Student is a file with what was trained.
type Student struct {
	Path         string `json:"path"`
	SHA256       string `json:"sha256"`
	Architecture any    `json:"architecture"` // as package student has it
	Parameters   int    `json:"parameters"`
}

// Score is how a model does on samples: on their labels, or on what its outputs should be, where these are numbers.
type Score struct {
	Samples   int        `json:"samples"`
	Accuracy  Number     `json:"accuracy"`          // null of numbers
	Agreement Number     `json:"agreement"`         // with the teacher's classes; null without a teacher, and of numbers
	Loss      Number     `json:"loss"`              // the cross-entropy with the labels; of numbers the mean squared difference to what was learned
	Teacher   *Deviation `json:"teacher,omitempty"` // of numbers, from the teacher's
	Targets   *Deviation `json:"targets,omitempty"` // of numbers, from the data's
}

// Deviation is how far numbers are from those that they are compared with, over all outputs of all samples.
type Deviation struct {
	Samples int    `json:"samples"`
	MSE     Number `json:"mean_squared_error"`
	RMSE    Number `json:"rmse"`
	Mean    Number `json:"mean_error"` // absolute
	Max     Number `json:"max_error"`  // absolute
	R2      Number `json:"r2"`         // null where what they are compared with does not vary
}

// Of is the deviation that counts: from what was learned.
func (s *Score) Of(teacher bool) *Deviation {
	if s == nil {
		return nil
	}
	if teacher {
		return s.Teacher
	}
	return s.Targets
}

// trained is the document of Distill; of Sweep what its runs have in common.
func (r *Result) trained() map[string]any {
	s := r.Trained
	doc := map[string]any{"config": r.Config, "data": s.Data, "train_samples": s.Train, "validation_samples": s.Validation, "shoal_version": s.Version}
	if s.Teacher != nil {
		doc["subject"], doc["teacher"] = r.Subject, s.Teacher
	}
	if r.Question == Sweep {
		return doc
	}
	doc["history"], doc["best_epoch"], doc["stopped"], doc["steps"], doc["seconds"] = s.History, s.BestEpoch, s.Stopped, s.Steps, s.Seconds
	doc["student"], doc["test"], doc["interrupted"] = s.Student, s.Test, r.Interrupted
	if len(r.Checks) > 0 {
		doc["checks"] = r.Checks
	}
	return doc
}

func (s *TrainSum) words(w *foreign.Builder) {
	if s.Student == nil {
		w.Printf("%s\n", NothingFinished)
		return
	}
	w.Printf("%s: epoch %d of %d, %d steps, %.1f s (stopped by %s)\n", s.Student.Path, s.BestEpoch, s.Epochs, s.Steps, s.Seconds, s.Stopped)
	if s.Test == nil {
		return
	}
	if s.Numbers {
		s.numbers(w)
		return
	}
	w.Printf("test: accuracy %s %%", Percent(s.Test.Accuracy, 2))
	if s.Teacher != nil && s.Teacher.Test != nil {
		w.Printf(" (teacher %s %%)", Percent(s.Teacher.Test.Accuracy, 2))
	}
	if a := float64(s.Test.Agreement); !math.IsNaN(a) {
		w.Printf(", agreement %s %%", Percent(a, 2))
	}
	w.Printf(" on %d images\n", s.Test.Samples)
}

// numbers tells how far the student's outputs are from the teacher's, and those of both from the data's.
func (s *TrainSum) numbers(w *foreign.Builder) {
	if d := s.Test.Teacher; d != nil {
		w.Printf("test: from the teacher ")
		d.words(w)
		w.Printf(" on %s\n", Samples(d.Samples))
	}
	if d := s.Test.Targets; d != nil {
		w.Printf("test: from the data ")
		d.words(w)
		if s.Teacher != nil && s.Teacher.Test != nil && s.Teacher.Test.Targets != nil {
			w.Printf(" (teacher RMSE %s)", s.Teacher.Test.Targets.RMSE)
		}
		w.Printf(" on %s\n", Samples(d.Samples))
	}
	if s.Test.Teacher == nil && s.Test.Targets == nil {
		w.Printf("test: nothing says what the outputs of %d samples should be\n", s.Test.Samples)
	}
}

func (d *Deviation) words(w *foreign.Builder) {
	w.Printf("RMSE %s, mean absolute difference %s, at most %s", d.RMSE, d.Mean, d.Max.up())
	if !math.IsNaN(float64(d.R2)) {
		w.Printf(", R2 %s", d.R2)
	}
}

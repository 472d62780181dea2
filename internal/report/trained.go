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

// Score is how a model does on labelled samples.
type Score struct {
	Samples   int    `json:"samples"`
	Accuracy  Number `json:"accuracy"`
	Agreement Number `json:"agreement"` // with the teacher's classes; null without a teacher
	Loss      Number `json:"loss"`      // the cross-entropy with the labels
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
	w.Printf("test: accuracy %.2f %%", 100*float64(s.Test.Accuracy))
	if s.Teacher != nil && s.Teacher.Test != nil {
		w.Printf(" (teacher %.2f %%)", 100*float64(s.Teacher.Test.Accuracy))
	}
	if a := float64(s.Test.Agreement); !math.IsNaN(a) {
		w.Printf(", agreement %.2f %%", 100*a)
	}
	w.Printf(" on %d images\n", s.Test.Samples)
}

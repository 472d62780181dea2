package report

import (
	"math"

	"github.com/shallow-waters/shoal/internal/foreign"
)

// RunSum is what a model gave for samples.
type RunSum struct {
	Outputs     [][]Number // of every sample, flat; empty where nobody asked for them
	Predictions []int      // -1 where the decision has no classes, or the scores decide none
	Undecided   int        // how many scores decide no class, of a decision that has some: they count as wrong
	Labels      []int
	Accuracy    Number     // null where the decision has no classes, or nothing is finished
	Targets     [][]Number // where outputs are numbers, and the data says which they should be
	Errors      OutputSum  // of these
	Numbers     bool       // outputs are numbers: no accuracy is to be expected
	Speed       Number     // samples a second
	DataHash    string     // SHA-256
	Engine      string
}

// ran is the document of Run.
func (r *Result) ran() map[string]any {
	s := r.Ran
	doc := map[string]any{"model": r.Model, "subject": r.Subject, "samples": len(s.Predictions), "accuracy": s.Accuracy, "samples_per_second": s.Speed,
		"interrupted": r.Interrupted, "samples_depend": r.SamplesDepend, "data_sha256": s.DataHash, "engine": s.Engine,
		"outputs": s.Outputs, "predictions": s.Predictions, "labels": s.Labels}
	if s.Targets != nil {
		doc["targets"] = s.Targets
	}
	if s.Undecided > 0 {
		doc["undecided"] = s.Undecided
	}
	if s.Errors.MeanError != nil {
		doc["mean_error"], doc["max_error"] = s.Errors.MeanError, s.Errors.MaxError
	}
	return doc
}

func (s *RunSum) words(w *foreign.Builder) {
	if len(s.Predictions) == 0 {
		w.Printf("%s\n", NothingFinished)
		return
	}
	w.Printf("%s", Samples(len(s.Predictions)))
	switch {
	case s.Numbers:
		w.Printf("%s", s.Errors.Words(", no accuracy (decision regress has no classes)"))
	case math.IsNaN(float64(s.Accuracy)):
		w.Printf(", no accuracy (one output names no class)")
	default:
		w.Printf(", accuracy %s %%", Percent(s.Accuracy, 2))
	}
	w.Printf(", %.0f samples a second (engine %s)\n", float64(s.Speed), s.Engine)
	if s.Undecided > 0 {
		w.Printf("%s\n", undecidedWords(s.Undecided, len(s.Predictions), ""))
	}
}

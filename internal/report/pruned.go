package report

import "github.com/shallow-waters/shoal/internal/foreign"

// PruneSum is what became of a model that lost channels; pairs are before and after.
type PruneSum struct {
	Output     *Model // the new file; nil where none was written
	Score      string
	Box        [][2]float64 // of proofs: the valid inputs, one range or one for each channel
	Before     Size
	After      Size
	Layers     []PrunedLayer
	Classes    []PrunedClass
	Pinned     []PinnedLayer
	Difference *Number // from the model with the channels at zero, relative to the largest output; nil before it is measured
}

// Size is what a model holds and does for one sample.
type Size struct {
	Parameters int     `json:"params"`
	MACs       int     `json:"macs"`
	MS         *Number `json:"ms,omitempty"` // a sample, where it was measured
}

// PrunedLayer compares a layer's output channels, and the rest as pairs.
type PrunedLayer struct {
	Name   string     `json:"name"`
	Op     string     `json:"op"`
	Before int        `json:"before"`
	After  int        `json:"after"`
	Params [2]int     `json:"params"`
	MACs   [2]int     `json:"macs"`
	MS     *[2]Number `json:"ms,omitempty"`
}

// PrunedClass are layers that can only shrink together.
type PrunedClass struct {
	Layers  []PrunedFilters `json:"layers"`
	Units   int             `json:"units"`
	Removed int             `json:"removed"`
	Held    string          `json:"held,omitempty"` // why the class stays as it is
	Proofs  []DeadUnit      `json:"proofs,omitempty"`
}

// PrunedFilters are the filters of a layer that go.
type PrunedFilters struct {
	Name     string `json:"name"`
	Weights  string `json:"weights"`
	Channels int    `json:"channels"`
	Remove   []int  `json:"remove"`
}

// DeadUnit are the bounds that show a unit dead: of what its filters give, and zero where these are summed.
type DeadUnit struct {
	Filters []FilterRange `json:"filters"`
	Ends    []EndRange    `json:"ends"`
}

// FilterRange is the range of a filter's own output.
type FilterRange struct {
	Layer  string  `json:"layer"`
	Filter int     `json:"filter"`
	Lower  float64 `json:"lower"`
	Upper  float64 `json:"upper"`
}

// EndRange is the range of a unit's slots where they are summed.
type EndRange struct {
	Value string  `json:"value"`
	Lower float64 `json:"lower"`
	Upper float64 `json:"upper"`
}

// PinnedLayer are channels that cannot go.
type PinnedLayer struct {
	Layer    string `json:"layer"`
	Channels int    `json:"channels"` // how many
	Why      string `json:"why"`
}

// pruned is the document of Prune, which has no rows.
func (r *Result) pruned() map[string]any {
	s := r.Pruned
	doc := map[string]any{"model": r.Model, "output": s.Output, "score": s.Score, "before": s.Before, "after": s.After,
		"layers": s.Layers, "classes": s.Classes,
		"pinned": s.Pinned, "difference": s.Difference}
	if r.Subject != nil {
		doc["subject"] = r.Subject
	}
	if len(s.Box) > 0 {
		doc["box"] = s.Box
	}
	return doc
}

// Line is a layer in the table that Question.Columns heads.
func (s *PruneSum) Line(l PrunedLayer) foreign.Text {
	row := foreign.Sprintf("%s\t%s\t%d\t%d\t%s\t%s\t%s\t%s\t", l.Name, l.Op, l.Before, l.After, Grouped(l.Params[0]), Grouped(l.Params[1]),
		Grouped(l.MACs[0]), Grouped(l.MACs[1]))
	switch {
	case !s.Timed():
		return row
	case l.MS == nil:
		return foreign.Sprintf("%s\t\t", row)
	}
	return foreign.Sprintf("%s%.3f\t%.3f\t", row, float64(l.MS[0]), float64(l.MS[1]))
}

// Timed tells whether the models were measured.
func (s *PruneSum) Timed() bool { return s.Before.MS != nil }

func (s *PruneSum) words(w *foreign.Builder) {
	for _, cl := range s.Classes {
		cl.words(w)
	}
	for _, p := range s.Pinned {
		w.Printf("%d channels of %s stay: %s\n", p.Channels, p.Layer, p.Why)
	}
	if len(s.Classes) == 0 && len(s.Pinned) == 0 {
		w.Printf("nothing can go: no node has filters\n")
	}
	w.Printf("\nparameters    %s -> %s (%s)\n", Grouped(s.Before.Parameters), Grouped(s.After.Parameters), less(s.Before.Parameters, s.After.Parameters))
	w.Printf("multiply-adds %s -> %s (%s)\n", Grouped(s.Before.MACs), Grouped(s.After.MACs), less(s.Before.MACs, s.After.MACs))
	if s.Timed() {
		w.Printf("ms a sample   %.3f -> %.3f (%.2f times as fast)\n", float64(*s.Before.MS), float64(*s.After.MS), float64(*s.Before.MS / *s.After.MS))
	}
	if s.Difference != nil {
		w.Printf("difference from the model with these channels at zero: %.1e of the largest output\n", float64(*s.Difference))
	}
	if s.Output != nil {
		w.Printf("written to %s\n", s.Output.Path)
	}
}

func less(before, after int) string {
	if before == 0 {
		return "0 %"
	}
	return Percent(1-float64(after)/float64(before), 1) + " % less"
}

// words name some layers of a class, and some proofs.
func (cl *PrunedClass) words(w *foreign.Builder) {
	w.Printf("%d of %d channels go from", cl.Removed, cl.Units)
	const shown = 4
	for i, l := range cl.Layers {
		if i == shown {
			w.Printf(" and %d more", len(cl.Layers)-shown)
			break
		}
		if i > 0 {
			w.Printf(",")
		}
		w.Printf(" %s", l.Name)
	}
	if cl.Held != "" {
		w.Printf(" (%s)", cl.Held)
	}
	w.Printf("\n")
	for i, p := range cl.Proofs {
		const proofs = 5
		if i == proofs {
			w.Printf("    and %d more; --json and --plan have all\n", len(cl.Proofs)-proofs)
			break
		}
		for _, f := range p.Filters {
			w.Printf("    filter %d of %s gives [%.4g, %.4g]", f.Filter, f.Layer, f.Lower, f.Upper)
		}
		for _, e := range p.Ends {
			w.Printf(", %s is 0", e.Value)
		}
		w.Printf("\n")
	}
}

package report

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/shallow-waters/shoal/internal/foreign"
)

// NothingFinished stands where a share of nothing would.
const NothingFinished = "nothing finished"

const prunedColumns = "layer\toperator\tchannels\tafter\tparameters\tafter\tmultiply-adds\tafter\t"

// Columns heads a table of rows of a question, with tabs between the cells; several says that rows have a radius each, or of Prune times.
func (q Question) Columns(several bool) foreign.Constant {
	switch {
	case q == Certify && several:
		return "image\tlabel\tpredicted\teps\tverdict\tmargin\tseconds\t"
	case q == Certify:
		return "image\tlabel\tpredicted\tverdict\tmargin\tseconds\t"
	case q == Radii:
		return "image\tlabel\tpredicted\tradius\tfalsified at\tseconds\t"
	case q == Prune && several: // with times
		return prunedColumns + "ms\tafter\t"
	case q == Prune:
		return prunedColumns
	}
	return "image\tlabel\tpredicted\teps\tadversarial\tclass\tnorm\tmethod\t"
}

// Line is the row in such a table.
func (q Question) Line(r Row) foreign.Text {
	if r.Outputs != nil {
		return q.valueLine(r)
	}
	head := foreign.Sprintf("%d\t%d\t%d\t", r.Index, r.Label, r.Predicted)
	switch {
	case q == Certify && r.Eps != nil:
		return foreign.Sprintf("%s%s\t%s\t%s\t%.3f\t", head, r.EpsText, r.Verdict, r.Margin, r.Seconds)
	case q == Certify:
		return foreign.Sprintf("%s%s\t%s\t%.3f\t", head, r.Verdict, r.Margin, r.Seconds)
	case q == Radii:
		return foreign.Sprintf("%s%.5f\t%s\t%.2f\t", head, r.Radius, r.Upper, r.Seconds)
	}
	norm := "-"
	if r.Adversarial {
		norm = fmt.Sprintf("%.5g", float64(r.Norm))
	}
	return foreign.Sprintf("%s%s\t%t\t%d\t%s\t%s\t", head, r.EpsText, r.Adversarial, r.Class, norm, r.Method)
}

// String is four digits, and a dash for what is not there.
func (n Number) String() string {
	if f := float64(n); !math.IsNaN(f) && !math.IsInf(f, 0) {
		return fmt.Sprintf("%.4g", f)
	}
	return "-"
}

// Words is the result for people, behind the table of its rows.
func (r *Result) Words() foreign.Text {
	w := &foreign.Builder{}
	switch r.Question {
	case Certify:
		for _, s := range r.Proofs {
			s.words(w)
		}
	case Radii:
		r.Radii.words(w)
	case Attack:
		for _, s := range r.Attacks {
			s.words(w)
		}
		for _, f := range r.Flags {
			w.Printf("note (%s): %s\n", f.Code, f.Text)
		}
	case Compare:
		r.compareWords(w)
	case Run:
		r.Ran.words(w)
	case Prune:
		r.Pruned.words(w)
	case Distill:
		r.Trained.words(w)
	}
	if k, of, why := r.undecided(); k > 0 && r.Question != Attack { // whose flags say it
		w.Printf("%s\n", undecidedWords(k, of, why))
	}
	return w.Text()
}

// undecided is how many of the samples have an answer with scores that decide no class, and what of the model's constants is not finite then.
func (r *Result) undecided() (k, of int, why string) {
	all := map[int]bool{}
	for i := range r.Rows {
		row := &r.Rows[i]
		if all[row.Index] = all[row.Index] || row.Undecided; row.Undecided && why == "" {
			_, why, _ = strings.Cut(row.Reason, "; ")
		}
	}
	for _, yes := range all {
		if yes {
			k++
		}
	}
	return k, len(all), why
}

// undecidedWords says of samples that some have no class.
func undecidedWords(k, of int, why string) string {
	if why != "" {
		why = "; among the constants " + why
	}
	return fmt.Sprintf("note (undecided): the scores of %d of %s decide nothing, since one is NaN or the largest is infinite: they count as wrong%s", k,
		Samples(of), why)
}

func (s *ProofSum) words(w *foreign.Builder) {
	if s.Samples == 0 {
		w.Printf("eps %s: %s\n", s.EpsText, NothingFinished)
		return
	}
	if s.Outputs != nil {
		s.valueWords(w)
		lackingWords(w, s.Lacking, s.Lacks)
		return
	}
	clean := Percent(s.CleanAccuracy, 1) + " %"
	if s.Lacking > 0 {
		clean = "not known"
	}
	w.Printf("eps %s: %d images, clean accuracy %s, certified accuracy %s %% (%d verified, %d falsified, %d unknown), robust accuracy at most %s %%, %.2f s\n",
		s.EpsText, s.Samples, clean, Percent(s.CertifiedAccuracy, 1), s.Verified, s.Falsified, s.Unknown,
		Percent(s.UpperAccuracy, 1), s.Seconds)
	lackingWords(w, s.Lacking, s.Lacks)
}

// lackingWords says how many samples were not run for want of memory.
func lackingWords(w *foreign.Builder, lacking int, lacks string) {
	if lacking > 0 {
		w.Printf("unknown for want of memory: %d (%s)\n", lacking, lacks)
	}
}

func (s *RadiusSum) words(w *foreign.Builder) {
	if s.Samples == 0 {
		w.Printf("%s\n", NothingFinished)
		return
	}
	defer lackingWords(w, s.Lacking, s.Lacks)
	if s.Outputs != nil {
		w.Printf("radius over %s: mean %.5f, median %.5f, max %.5f", Samples(s.Samples), float64(s.Mean), float64(s.Median), float64(s.Max))
		s.Outputs.errors(w)
		w.Printf(" (%.1f s)\n", s.Seconds)
		return
	}
	w.Printf("radius over all %d images: mean %.5f, median %.5f, max %.5f; ", s.Samples, float64(s.Mean), float64(s.Median), float64(s.Max))
	if s.Correct.Samples > 0 {
		w.Printf("over the %d correct ones: mean %.5f, median %.5f ", s.Correct.Samples, float64(s.Correct.Mean), float64(s.Correct.Median))
	} else if s.Lacking < s.Samples {
		w.Printf("none is classified correctly ")
	}
	w.Printf("(%.1f s)\n", s.Seconds)
}

func (s *AttackSum) words(w *foreign.Builder) {
	if s.Samples == 0 {
		w.Printf("eps %s: %s\n", s.EpsText, NothingFinished)
		return
	}
	if s.Tolerance != "" {
		w.Printf("eps %s: %s %% [%s, %s] of %d samples stay within %s of their values, the farthest found is %s", s.EpsText,
			Percent(s.RobustAccuracy, 1), Percent(s.Low, 1), Percent(s.High, 1), s.Samples, s.Tolerance, *s.Deviation)
		if s.Outputs != nil {
			s.Outputs.errors(w)
		}
		w.Printf(", %s, %.1f s, %d evaluations\n", s.Method, s.Seconds, s.Evaluations)
		for _, part := range s.Components {
			w.Printf("  within it after %s: %s %%\n", part.Method, Percent(part.RobustAccuracy, 1))
		}
		return
	}
	w.Printf("eps %s: robust accuracy %s %% [%s, %s] of %d images (clean %s %%), %s, %.1f s, %d evaluations\n", s.EpsText,
		Percent(s.RobustAccuracy, 1), Percent(s.Low, 1), Percent(s.High, 1), s.Samples, Percent(s.CleanAccuracy, 1), s.Method, s.Seconds, s.Evaluations)
	for _, part := range s.Components {
		w.Printf("  robust accuracy after %s: %s %%\n", part.Method, Percent(part.RobustAccuracy, 1))
	}
}

func (r *Result) compareWords(w *foreign.Builder) {
	s := r.Agreement
	if s.Samples == 0 {
		w.Printf("%s\n", NothingFinished)
		return
	}
	w.Printf("A %s (%s)\nB %s (%s)\n%s\n", r.Model.Path, s.Engines[0], r.Other.Path, s.Engines[1], Samples(s.Samples))
	w.Printf("inputs matched by %s, outputs by %s\n", s.Matched.Inputs, s.Matched.Outputs)
	w.Printf("largest difference %.3e (%.1e of the largest output), mean %.3e\n", float64(s.Max), float64(s.Relative), float64(s.Mean))
	switch {
	case r.Subject == nil:
		w.Printf("no predictions to compare: nothing says which output holds the scores; --output NAME does\n")
	case math.IsNaN(float64(s.Agreement)) && s.Numbers:
		w.Printf("no predictions to compare: numbers agree within a --tolerance, which is not given\n")
	case math.IsNaN(float64(s.Agreement)):
		w.Printf("no predictions to compare: one output names no class\n")
	default:
		w.Printf("predictions agree on %s %%\n", Percent(s.Agreement, 2))
	}
	const shown = 20
	for i, x := range s.Differing {
		if i == shown {
			w.Printf("and %d more; --json has all\n", len(s.Differing)-shown)
			break
		}
		if x.Apart != nil {
			w.Printf("  sample %d: outputs differ by %s\n", x.Index, *x.Apart)
			continue
		}
		w.Printf("  sample %d: A says %s, B %s\n", x.Index, classWord(x.A), classWord(x.B))
	}
	if s.Certificate != nil {
		s.Certificate.words(w)
	}
}

// classWord is a class for people.
func classWord(class int) string {
	if class < 0 {
		return "nothing"
	}
	return fmt.Sprint(class)
}

func (c *Certificate) words(w *foreign.Builder) {
	held := ""
	for _, name := range slices.Sorted(maps.Keys(c.Held)) {
		held += fmt.Sprintf(", with %s held at %s,", name, c.Held[name])
	}
	if c.Equal {
		w.Printf("certified: over all inputs in %s%s the two compute the same function; %d filters of A and %d of B are proven dead (%s, %s)\n",
			c.Box, held, c.Removed[0], c.Removed[1], c.Method, c.Semantics)
		return
	}
	if n := c.Within; n != nil && n.Verdict != "verified" {
		defer func() {
			w.Printf("%s: that no output differs by more than %s (%s: %s)\n", n.Verdict, n.Limit, n.Method, n.Reason)
		}()
	}
	if math.IsInf(float64(c.Delta), 0) {
		reason := c.Reason
		if reason == "" {
			reason = "the bounds are infinite"
		}
		w.Printf("unknown: nothing is proven of the difference over %s: %s (%s, %s)\n", c.Box, reason, c.Method, c.Semantics)
		return
	}
	method := c.Method
	if c.Within != nil && c.Within.Verdict == "verified" {
		method = c.Within.Method
	}
	w.Printf("certified: over all inputs in %s%s no output differs by more than %.4g (%s, %s)\n", c.Box, held, float64(c.Delta), method, c.Semantics)
}

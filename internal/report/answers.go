package report

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
)

// Answer is the result of a question about samples in one line: of how many, and what became of them.
func (r *Result) Answer() string {
	text := r.answer()
	if m := r.Recorded.Missing; m != nil {
		text = fmt.Sprintf("Incomplete: %d of %d answers are there. ", m.Answers, m.Of) + text
	}
	return text
}

func (r *Result) answer() string {
	if len(r.Rows) == 0 {
		return "No sample is finished."
	}
	var parts []string
	n := len(r.Rows) / r.radii()
	clean := ""
	right := func(k int, share Number) {
		if !math.IsNaN(float64(share)) {
			clean = fmt.Sprintf(", %d of them right unchanged", k)
		}
	}
	switch r.Question {
	case Certify:
		right(r.Proofs[0].Correct, r.Proofs[0].CleanAccuracy)
		for i := range r.Proofs {
			parts = append(parts, r.Proofs[i].answer())
		}
	case Radii:
		s := r.Radii
		held := ""
		if r.Recorded.Within != "" {
			held = fmt.Sprintf(", in which no output gets farther from its value than %s,", r.Recorded.Within)
		}
		parts = append(parts, fmt.Sprintf("the median certified radius%s is %.5f (mean %.5f, largest %.5f)", held, float64(s.Median), float64(s.Mean),
			float64(s.Max)))
		if s.Correct.Samples > 0 && s.Correct.Samples < n {
			parts = append(parts, fmt.Sprintf("that of the %d classified correctly %.5f", s.Correct.Samples, float64(s.Correct.Median)))
		}
	case Attack:
		right(r.Attacks[0].Correct, r.Attacks[0].CleanAccuracy)
		for i := range r.Attacks {
			parts = append(parts, r.Attacks[i].answer())
		}
	case Compare:
		s := r.Agreement
		switch share := s.Agreement.percent(); {
		case math.IsNaN(float64(s.Agreement)):
		case s.Numbers:
			parts = append(parts, fmt.Sprintf("%d differ by more than %s (%s do not)", len(s.Differing), r.Recorded.Within, share))
		default:
			parts = append(parts, fmt.Sprintf("%d are decided differently (%s agree)", len(s.Differing), share))
		}
		parts = append(parts, fmt.Sprintf("outputs differ by at most %.3g", float64(s.Max)))
	}
	return fmt.Sprintf("Of %s%s: %s.", Samples(n), clean, strings.Join(parts, "; "))
}

// answer is what was proven at one radius. What no output exceeds is rounded up.
func (s *ProofSum) answer() string {
	text := fmt.Sprintf("at eps %s, ", s.EpsText)
	v := s.Outputs
	switch {
	case v == nil:
		text += fmt.Sprintf("%d verified (%s), %d falsified, %d unknown", s.Verified, s.CertifiedAccuracy.percent(), s.Falsified, s.Unknown)
	case v.Tolerance != "":
		text += fmt.Sprintf("%d stay within %s of their values, proven (%s), %d falsified, %d unknown", s.Verified, v.Tolerance, s.CertifiedAccuracy.percent(),
			s.Falsified, s.Unknown)
	case !v.Farthest.known():
		text += "nothing is proven of how far outputs get"
	}
	if v != nil && v.Farthest.known() {
		if v.Tolerance != "" {
			text += "; "
		}
		text += fmt.Sprintf("no output gets farther from its value than %s", v.Farthest.up())
	}
	return text
}

// answer is what an attack did at one radius.
func (s *AttackSum) answer() string {
	share := s.RobustAccuracy.percent()
	if s.Tolerance == "" {
		return fmt.Sprintf("at eps %s, %s leaves %d robust (%s)", s.EpsText, s.Method, s.Robust, share)
	}
	text := fmt.Sprintf("at eps %s, %s leaves %d within %s of their values (%s)", s.EpsText, s.Method, s.Robust, s.Tolerance, share)
	if s.Deviation != nil {
		text += fmt.Sprintf(", the farthest found is %s", *s.Deviation)
	}
	return text
}

func (n Number) percent() string {
	if math.IsNaN(float64(n)) {
		return "no share"
	}
	return Percent(n, 1) + " %"
}

// radii is how many rows each sample has.
func (r *Result) radii() int { return max(1, len(r.Proofs), len(r.Attacks)) }

func (r *Result) title() string {
	name := "model " + shortHash(r.Model.SHA256)
	if r.Other != nil {
		name = fmt.Sprintf("models %s and %s", shortHash(r.Model.SHA256), shortHash(r.Other.SHA256))
	}
	if r.Recorded != nil && r.Recorded.Data != "" {
		name += " on data " + shortHash(r.Recorded.Data)
	}
	return fmt.Sprintf("shoal %s: %s", r.Question, name)
}

func shortHash(s string) string { return s[:min(12, len(s))] }

// Document is the result of a question about samples as a page: the answer, the figure that carries it, the worst samples; then tables, folded.
func (r *Result) Document() (*Document, error) {
	d := &Document{Title: r.title(), Lead: []string{r.Answer()}}
	if k, of, why := r.undecided(); k > 0 {
		d.Lead = append(d.Lead, undecidedWords(k, of, why))
	}
	if m := r.Recorded.Missing; m != nil {
		d.Lead = append(d.Lead, fmt.Sprintf("Of the %d answers that are missing the first is %s. Figures are of samples that are finished, and would be others if all were: "+
			"the same command with the same --records goes on where it was cut off.", m.Of-m.Answers, m.First))
	}
	c := r.chart()
	if c != nil {
		c.Wide = false // letters that a phone's reader can read
		svg, err := c.SVG()
		if err != nil {
			return nil, err
		}
		d.Opening = append(d.Opening, Figure{File: "answer.svg", Caption: c.Title + ".", Alt: r.Answer(), SVG: svg, Inline: true})
	}
	if worst := r.worst(); len(worst) > 0 {
		var list List
		for _, row := range worst {
			list = append(list, r.words(row))
		}
		d.Opening = append(d.Opening, Paragraph("The worst samples, by their numbers in the data:"), list)
	}
	if len(r.Flags) > 0 {
		var list List
		for _, f := range r.Flags {
			list = append(list, fmt.Sprintf("%s: %s", f.Code, f.Text))
		}
		d.Sections = append(d.Sections, Section{"Reasons to doubt these figures", []Block{list}})
	}
	if blocks := r.classes(); len(blocks) > 0 {
		d.Sections = append(d.Sections, Section{"Classes", blocks})
	}
	d.Sections = append(d.Sections, Section{"Samples", []Block{r.samples()}}, r.made())
	return d, nil
}

// made says how the result was made.
func (r *Result) made() Section {
	t := Table{Title: "Files", Head: []string{"what", "SHA-256"}, Text: []bool{true, true}, Rows: [][]string{{"model", r.Model.SHA256}}}
	if r.Other != nil {
		t.Rows[0][0] = "model A"
		t.Rows = append(t.Rows, []string{"model B", r.Other.SHA256})
	}
	if r.Recorded.Data != "" {
		t.Rows = append(t.Rows, []string{"data", r.Recorded.Data})
	}
	settings, _ := json.MarshalIndent(map[string]any{"subject": r.Subject, "settings": r.Config}, "", "  ")
	return Section{"How this was made", []Block{t, Paragraph("shoal " + r.Recorded.Version + "."), Details{"Settings", string(settings)}}}
}

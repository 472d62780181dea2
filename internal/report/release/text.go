package release

import (
	"strings"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/report"
)

// words of the outcomes, all as wide.
var words = map[report.Outcome]string{report.Pass: "pass", report.Fail: "FAIL", report.Inconclusive: "open"}

// mark is the word of a requirement, which stands first in its line.
func (q *Requirement) mark() string {
	if q.Waived() {
		return "waived"
	}
	return words[q.Outcome]
}

// Text is the result for a terminal.
func (r *Result) Text() foreign.Text {
	b := &foreign.Builder{}
	b.Printf("shoal check: %s\n\n", r.Answer)
	wide := 0
	for i := range r.Requirements {
		wide = max(wide, len([]rune(r.Requirements[i].Name)))
	}
	const most = 40
	wide = min(wide, most)
	for i := range r.Requirements {
		q := &r.Requirements[i]
		b.Printf("%-6s  %-*s  %s\n", q.mark(), wide, q.Name, q.Reason)
		indent := strings.Repeat(" ", wide+10)
		if q.Outcome == report.Pass {
			continue
		}
		b.Printf("%srequired: %s\n", indent, q.What)
		if w := q.Waiver; w != nil && !w.Expired {
			b.Printf("%swaived to %s by %s: %s\n", indent, w.Until, w.Owner, w.Reason)
		}
		for k := range q.Worst {
			b.Printf("%s%s\n", indent, q.Worst[k].line(q))
		}
		if q.Do != "" {
			b.Printf("%sto do: %s\n", indent, q.Do)
		}
		for _, c := range q.Reproduce {
			b.Printf("%s$ %s\n", indent, c)
		}
	}
	return b.Text()
}

// line tells of a sample in a few words.
func (s *Sample) line(q *Requirement) string {
	t := foreign.Sprintf("sample %d of class %d", s.Sample, s.Label).String()
	switch {
	case q.Kind == "robust_accuracy" && s.Label == s.Predicted && s.Class < 0:
		t += foreign.Sprintf(" at a distance of %.4g: %s", float64(s.Value), s.Words).String()
	case s.Label != s.Predicted && s.Predicted < 0:
		t += foreign.Sprintf(": %s", s.Words).String()
	case q.Kind == "robust_accuracy" && s.Label == s.Predicted:
		t += foreign.Sprintf(" becomes class %d at a distance of %.4g", s.Class, float64(s.Value)).String()
		if p := float64(s.Proven); p >= 0 {
			t += foreign.Sprintf(", and is proven up to %.4g", p).String()
		}
	case s.Label != s.Predicted:
		t += foreign.Sprintf(" is taken for class %d", s.Predicted).String()
	case q.Kind == "radius":
		t += foreign.Sprintf(" is proven up to %.4g", float64(s.Value)).String()
	case s.Words != "":
		t += foreign.Sprintf(": %s", s.Words).String()
	}
	return t
}

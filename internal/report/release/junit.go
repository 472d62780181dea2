package release

import (
	"fmt"
	"strings"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/report"
)

// JUnit is the result as test cases, in the form that Jenkins, GitLab and others read: what failed is a failure, what could not be decided an error,
// what is waived is skipped.
func (r *Result) JUnit() []byte {
	e := foreign.XML
	failures, errors, skipped := 0, 0, 0
	var cases strings.Builder
	for i := range r.Requirements {
		q := &r.Requirements[i]
		fmt.Fprintf(&cases, "    <testcase name=\"%s\" classname=\"%s\" file=\"%s\" time=\"0\"", e(q.Name), e(q.Model+"."+q.Kind), e(r.Policy.Path))
		body := strings.Join(q.lines(), "\n")
		switch {
		case q.Waived():
			skipped++
			why := fmt.Sprintf("waived to %s by %s: %s", q.Waiver.Until, q.Waiver.Owner, q.Waiver.Reason)
			fmt.Fprintf(&cases, ">\n      <skipped message=\"%s\"/>\n    </testcase>\n", e(why))
		case q.Outcome == report.Fail:
			failures++
			fmt.Fprintf(&cases, ">\n      <failure message=\"%s\" type=\"fail\">%s</failure>\n    </testcase>\n", e(q.Reason), xmlLines(body))
		case q.Outcome == report.Inconclusive:
			errors++
			fmt.Fprintf(&cases, ">\n      <error message=\"%s\" type=\"inconclusive\">%s</error>\n    </testcase>\n", e(q.Reason), xmlLines(body))
		default:
			cases.WriteString("/>\n")
		}
	}
	n := len(r.Requirements)
	counts := fmt.Sprintf("tests=\"%d\" failures=\"%d\" errors=\"%d\"", n, failures, errors)
	return fmt.Appendf(nil, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"shoal check\" %s time=\"0\">\n"+
		"  <testsuite name=\"%s\" %s skipped=\"%d\" time=\"0\">\n%s  </testsuite>\n</testsuites>\n", counts, e(r.title()), counts, skipped, cases.String())
}

// xmlLines is a text of several lines.
func xmlLines(s string) string {
	parts := strings.Split(s, "\n")
	for i := range parts {
		parts[i] = foreign.XML(parts[i])
	}
	return strings.Join(parts, "\n")
}

// title names the policy.
func (r *Result) title() string {
	if r.Policy.Name != "" {
		return r.Policy.Name
	}
	return r.Policy.Path
}

// lines are all that there is to say of what is not met.
func (q *Requirement) lines() []string {
	out := []string{q.Reason, "required: " + q.What}
	if q.Do != "" {
		out = append(out, "to do: "+q.Do)
	}
	for i := range q.Worst {
		out = append(out, q.Worst[i].line(q))
	}
	for _, c := range q.Reproduce {
		out = append(out, "$ "+c)
	}
	return out
}

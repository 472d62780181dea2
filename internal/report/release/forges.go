package release

import (
	"fmt"
	"strings"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/report"
)

// mostAnnotations is how many errors, and how many warnings, GitHub shows of one step.
const mostAnnotations = 10

// GitHub are workflow commands, a line each: what failed is an error at its line of the policy, what stayed open or is waived a warning. The answer
// comes first, as a notice. A step that prints the file shows them.
func (r *Result) GitHub() []byte {
	var b strings.Builder
	line := func(kind string, q *Requirement, words string) {
		if q == nil {
			fmt.Fprintf(&b, "::%s title=%s::%s\n", kind, property("shoal check"), command(words))
			return
		}
		fmt.Fprintf(&b, "::%s file=%s,line=%d,title=%s::%s\n", kind, property(r.Policy.Path), q.Line, property(q.Name), command(words))
	}
	line("notice", nil, r.Answer)
	for _, kind := range []string{"error", "warning"} {
		var all []*Requirement
		for i := range r.Requirements {
			if q := &r.Requirements[i]; q.Outcome != report.Pass && (kind == "error") == (q.Counted() == report.Fail) {
				all = append(all, q)
			}
		}
		for k, q := range all {
			if k == mostAnnotations-1 && len(all) > mostAnnotations {
				line(kind, q, fmt.Sprintf("%s; and %d more, which the report has", q.Reason, len(all)-k-1))
				break
			}
			words := q.Reason
			if q.Waived() {
				words = fmt.Sprintf("waived to %s by %s: %s", q.Waiver.Until, q.Waiver.Owner, q.Reason)
			}
			line(kind, q, words+"\nrequired: "+q.What)
		}
	}
	return []byte(b.String())
}

// command and property escape text as GitHub's runner takes it back.
func command(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(foreign.Lines(s))
}

func property(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(command(s))
}

// GitLab is a list of issues in Code Climate's form, as GitLab's code quality reads it: what is not met, with its line of the policy.
func (r *Result) GitLab() ([]byte, error) {
	type object = map[string]any
	out := []object{}
	for i := range r.Requirements {
		q := &r.Requirements[i]
		if q.Outcome == report.Pass {
			continue
		}
		severity := "critical"
		switch {
		case q.Waived():
			severity = "info"
		case q.Outcome == report.Inconclusive:
			severity = "minor"
		}
		out = append(out, object{"type": "issue", "description": q.Name + ": " + q.Reason, "check_name": q.Kind,
			"fingerprint": q.fingerprint(r), "severity": severity,
			"categories": []string{"Bug Risk"}, "location": object{"path": r.Policy.Path, "lines": object{"begin": max(1, q.Line)}}})
	}
	return Encode(out)
}

// InToto is a statement of the test-result predicate, version 0.1, about the models' files: PASSED, FAILED, or WARNED where something stayed open
// or is waived. Nobody has signed it: that is for whoever answers for it.
func (r *Result) InToto() ([]byte, error) {
	type object = map[string]any
	subjects := []object{}
	for _, m := range r.Models {
		if r.asked(m.Name) {
			subjects = append(subjects, object{"name": m.Path, "digest": object{"sha256": m.SHA256}})
		}
	}
	of := map[string][]string{"passed": {}, "warned": {}, "failed": {}}
	result := "PASSED"
	for i := range r.Requirements {
		q := &r.Requirements[i]
		switch {
		case q.Counted() == report.Fail:
			of["failed"] = append(of["failed"], q.Name)
			result = "FAILED"
		case q.Outcome != report.Pass:
			of["warned"] = append(of["warned"], q.Name)
			if result == "PASSED" {
				result = "WARNED"
			}
		default:
			of["passed"] = append(of["passed"], q.Name)
		}
	}
	return Encode(object{"_type": "https://in-toto.io/Statement/v1", "subject": subjects,
		"predicateType": "https://in-toto.io/attestation/test-result/v0.1",
		"predicate": object{"result": result, "configuration": []object{{"name": r.Policy.Path, "digest": object{"sha256": r.Policy.SHA256}}},
			"passedTests": of["passed"], "warnedTests": of["warned"], "failedTests": of["failed"]}})
}

// asked tells whether a requirement is about a model.
func (r *Result) asked(model string) bool {
	for i := range r.Requirements {
		if r.Requirements[i].Model == model {
			return true
		}
	}
	return false
}

package release

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/shallow-waters/shoal/internal/report"
)

// SARIF is the result as static analysis results, version 2.1.0: a rule for each kind of requirement, and a result for each requirement, at its line
// of the policy. What is met is a result of kind pass; what is waived has a suppression.
func (r *Result) SARIF() ([]byte, error) {
	type object = map[string]any
	rules, index := []object{}, map[string]int{}
	results := []object{}
	for i := range r.Requirements {
		q := &r.Requirements[i]
		if _, known := index[q.Kind]; !known {
			index[q.Kind] = len(rules)
			rules = append(rules, object{"id": q.Kind, "name": camel(q.Kind),
				"shortDescription": object{"text": "A model does not meet its policy's " + strings.ReplaceAll(q.Kind, "_", " ") + "."},
				"fullDescription":  object{"text": "A requirement of kind " + q.Kind + " in a policy of shoal check."}, "helpUri": about,
				"help": object{"text": "The message says what was measured, what was required, and how to reproduce it."}, "defaultConfiguration": object{"level": "error"}})
		}
		kind, level := "pass", "none"
		switch q.Outcome {
		case report.Fail:
			kind, level = "fail", "error"
		case report.Inconclusive:
			kind, level = "open", "none"
		}
		one := object{"ruleId": q.Kind, "ruleIndex": index[q.Kind], "kind": kind, "level": level,
			"message":             object{"text": q.Name + ": " + strings.Join(q.lines(), "\n")},
			"partialFingerprints": object{"requirement/v1": q.fingerprint(r)},
			"locations": []object{{"physicalLocation": object{"artifactLocation": object{"uri": uri(r.Policy.Path)},
				"region": object{"startLine": max(1, q.Line), "startColumn": max(1, q.Column)}}}}}
		if k := r.modelIndex(q.Model); k >= 0 {
			one["relatedLocations"] = []object{{"id": 1, "message": object{"text": "the model"},
				"physicalLocation": object{"artifactLocation": object{"uri": uri(r.beside(r.Models[k].Path))}}}}
		}
		if q.Waiver != nil && q.Outcome != report.Pass {
			status := "accepted"
			if q.Waiver.Expired {
				status = "rejected"
			}
			why := q.Waiver.Reason + " (" + q.Waiver.Owner + ", to " + q.Waiver.Until + ")"
			one["suppressions"] = []object{{"kind": "external", "status": status, "justification": why}}
		}
		results = append(results, one)
	}
	driver := object{"name": "shoal", "informationUri": about, "rules": rules}
	if r.Version != "" {
		driver["version"] = r.Version
	}
	run := object{"tool": object{"driver": driver}, "columnKind": "unicodeCodePoints", "results": results,
		"invocations": []object{{"executionSuccessful": !r.Interrupted && r.Incomplete == nil}}}
	return Encode(object{"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": []object{run}})
}

// about is where the program is told of.
const about = "https://github.com/shallow-waters/shoal"

// uri is a path as a reference of RFC 3986.
func uri(path string) string {
	path = filepath.ToSlash(path)
	u := url.URL{Path: path}
	if filepath.IsAbs(path) {
		u.Scheme = "file"
	}
	return u.String()
}

// beside is a path of the policy, whose paths are relative to its folder, from where the policy's own is.
func (r *Result) beside(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(r.Policy.Path), path)
}

func camel(s string) string {
	parts := strings.Split(s, "_")
	for i, p := range parts {
		parts[i] = strings.ToUpper(p[:1]) + p[1:]
	}
	return strings.Join(parts, "")
}

// fingerprint stays the same for a requirement of a policy from release to release.
func (q *Requirement) fingerprint(r *Result) string {
	sum := sha256.Sum256([]byte(r.Policy.Name + "\x00" + q.Kind + "\x00" + q.Name))
	return hex.EncodeToString(sum[:])
}

func (r *Result) modelIndex(name string) int {
	return slices.IndexFunc(r.Models, func(m Model) bool { return m.Name == name })
}

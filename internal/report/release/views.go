package release

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/output"
)

// Views are the forms of a result that are written into files, by name.
var Views = map[string]View{
	"text": {output.StartsWith("a text of shoal check", "shoal check: "), func(r *Result) ([]byte, error) {
		return []byte(r.Text().String()), nil
	}},
	"json":   {output.JSON("a result of shoal check", "schema", "requirements", "answer"), (*Result).JSON},
	"junit":  {output.StartsWith("a JUnit file", "<?xml", "<testsuites"), func(r *Result) ([]byte, error) { return r.JUnit(), nil }},
	"sarif":  {output.JSON("a SARIF file", "version", "runs"), (*Result).SARIF},
	"github": {output.StartsWith("annotations of shoal check", "::"), func(r *Result) ([]byte, error) { return r.GitHub(), nil }},
	"gitlab": {output.StartsWith("a code quality file", "["), (*Result).GitLab},
	"markdown": {output.StartsWith("a report of shoal check", "# shoal check: "), func(r *Result) ([]byte, error) {
		return r.Document().Markdown(), nil
	}},
	"html":   {output.StartsWith("a page", "<!DOCTYPE html>"), func(r *Result) ([]byte, error) { return r.Document().HTML(), nil }},
	"intoto": {output.JSON("an in-toto statement", "_type", "predicateType"), (*Result).InToto},
}

// View is one of them: the kind of file that it makes, and how.
type View struct {
	Kind output.Kind
	Make func(*Result) ([]byte, error)
}

// Names are those of all views.
func Names() []string { return slices.Sorted(maps.Keys(Views)) }

// JSON is the result as one document.
func (r *Result) JSON() ([]byte, error) { return Encode(r) }

// Encode is a document of several lines, without characters that a terminal takes for something else.
func Encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return foreign.JSON(b.Bytes()), nil
}

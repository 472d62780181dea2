package release

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/internal/report"
)

// hostile is a name that means something in every form.
const hostile = "a\"'<b>&]]>\n::error::x%0A|`*\x1b[2J\u202e,:"

// sample is a result with every outcome, and names that mean something elsewhere.
func sample() *Result {
	r := &Result{Schema: Schema, Policy: Policy{Path: "dir/my policy.yaml", Name: hostile, SHA256: "00"}, Version: "1", Engine: "go",
		Models: []Model{{"candidate", "a b.onnx", "11"}, {"old", "/old.onnx", "22"}}, Data: []Data{{"test", "fmnist:x", "33", 10}}}
	c := 0.95
	r.Confidence = &c
	waiver := func(expired bool) *Waiver { return &Waiver{hostile, "me", "2027-01-01", expired} }
	test := []Test{{"clean accuracy", "", report.Fail, 0.5, 0.4, 0.6, 0.7, "at_least", 10},
		{"clean accuracy", hostile, report.Pass, 0.9, 0.8, report.None(), 0.7, "at_least", 3}}
	r.Requirements = []Requirement{
		{Name: "met", Kind: "file", Model: "candidate", Outcome: report.Pass, Reason: "all", What: "x", Line: 3, Column: 5},
		{Name: hostile, Kind: "clean_accuracy", Model: "candidate", Data: "test", Outcome: report.Fail, Reason: hostile,
			Do: "mend it", What: hostile, Line: 7, Column: 5,
			Reproduce: []string{"shoal run 'a b.onnx'"}, Tests: test, Samples: 10, Of: 10,
			Worst:     []Sample{{Sample: 3, Label: 1, Predicted: 2, Class: 2, Value: report.None(), Words: hostile}},
			Confusion: [][]int{{1, 0}, {2, 3}},
			Beside:    []Beside{{"clean accuracy", hostile, 0.625, 0.5, 8}, {"bytes", "old", 12345, 12355, 0}},
			Radii:     []Radii{{0, 2, 0, 0.125, 0.25, 0.375}, {1, 1, 0.5, 0.5, 0.5, 0.5}}},
		{Name: "open", Kind: "vnnlib", Model: "candidate", Outcome: report.Inconclusive, Reason: "unknown", What: "y",
			Items: []Item{{hostile, report.Inconclusive, "unknown", "verified", ""}}},
		{Name: "waived", Kind: "size", Model: "candidate", Outcome: report.Fail, Reason: "large", What: "z", Waiver: waiver(false)},
		{Name: "ended", Kind: "size", Model: "candidate", Outcome: report.Fail, Reason: "large", What: "z", Waiver: waiver(true)},
	}
	r.Sum()
	return r
}

// TestViewsSayTheSame reads every view back and counts.
func TestViewsSayTheSame(t *testing.T) {
	r := sample()
	if r.Outcome != report.Fail || r.Answer != "The release does not meet the policy: 2 of 5 requirements failed, and 1 stayed open; 1 is waived." {
		t.Errorf("%s: %s", r.Outcome, r.Answer)
	}
	for name, v := range Views {
		text, err := v.Make(r)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if strings.ContainsAny(string(text), "\x1b\u202e") {
			t.Errorf("%s hands a name's controls on", name)
		}
	}
	var suites struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Suite    struct {
			Skipped int `xml:"skipped,attr"`
			Cases   []struct {
				Name    string    `xml:"name,attr"`
				Failure *struct{} `xml:"failure"`
				Error   *struct{} `xml:"error"`
				Skipped *struct{} `xml:"skipped"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(r.JUnit(), &suites); err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, c := range suites.Suite.Cases {
		got += fmt.Sprint(c.Failure != nil, c.Error != nil, c.Skipped != nil, ";")
	}
	if want := "false false false;true false false;false true false;false false true;true false false;"; got != want ||
		suites.Tests != 5 || suites.Failures != 2 || suites.Errors != 1 || suites.Suite.Skipped != 1 {
		t.Errorf("%s %+v", got, suites)
	}
	var sarif struct {
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct{ Rules []struct{ ID string } }
			}
			Results []struct {
				RuleID, Kind, Level string
				RuleIndex           int
				Suppressions        []struct{ Status string }
				Locations           []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine, StartColumn int }
					}
				}
			}
		}
	}
	text, _ := r.SARIF()
	if err := json.Unmarshal(text, &sarif); err != nil {
		t.Fatal(err)
	}
	got = ""
	for _, x := range sarif.Runs[0].Results {
		got += x.Kind + " " + x.Level + fmt.Sprint(x.Suppressions) + ";"
		if at := x.Locations[0].PhysicalLocation; at.Region.StartLine < 1 || at.ArtifactLocation.URI != "dir/my%20policy.yaml" ||
			sarif.Runs[0].Tool.Driver.Rules[x.RuleIndex].ID != x.RuleID {
			t.Errorf("%+v", x)
		}
	}
	if want := "pass none[];fail error[];open none[];fail error[{accepted}];fail error[{rejected}];"; got != want || sarif.Version != "2.1.0" {
		t.Errorf("%s, want %s", got, want)
	}
	var issues []struct{ Severity, Fingerprint string }
	if text, _ = r.GitLab(); json.Unmarshal(text, &issues) != nil || len(issues) != 4 || issues[0].Severity != "critical" ||
		issues[1].Severity != "minor" || issues[2].Severity != "info" {
		t.Errorf("%+v", issues)
	}
	var statement struct {
		Subject   []struct{ Name string }
		Predicate struct {
			Result                                string
			PassedTests, WarnedTests, FailedTests []string
		}
	}
	text, _ = r.InToto()
	if json.Unmarshal(text, &statement) != nil || len(statement.Subject) != 1 || statement.Predicate.Result != "FAILED" ||
		len(statement.Predicate.WarnedTests) != 2 || len(statement.Predicate.FailedTests) != 2 {
		t.Errorf("%+v", statement)
	}
	lines := strings.Split(strings.TrimSpace(string(r.GitHub())), "\n")
	got = ""
	for _, l := range lines {
		kind, _, _ := strings.Cut(l, " ")
		got += kind
	}
	if got != "::notice::error::error::warning::warning" {
		t.Errorf("%s: %q", got, lines)
	}
}

// TestAnnotationsStayWithinGitHubsLimit of ten of a kind for a step.
func TestAnnotationsStayWithinGitHubsLimit(t *testing.T) {
	r := &Result{}
	for i := range 25 {
		r.Requirements = append(r.Requirements, Requirement{Name: fmt.Sprint(i), Outcome: report.Fail, Reason: "r"})
	}
	r.Sum()
	text := string(r.GitHub())
	if n := strings.Count(text, "::error "); n != mostAnnotations || !strings.Contains(text, "and 15 more") {
		t.Errorf("%d errors: %s", n, text)
	}
}

// TestPagesAreWellFormed: a parser of XML gets through the page, whatever names hold, and it opens with the answer.
func TestPagesAreWellFormed(t *testing.T) {
	r := sample()
	page := string(r.Document().HTML())
	d := xml.NewDecoder(strings.NewReader(strings.TrimPrefix(page, "<!DOCTYPE html>")))
	d.Strict, d.Entity = true, xml.HTMLEntity
	for {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	answer, nav, figure := strings.Index(page, r.Answer), strings.Index(page, "<nav"), strings.Index(page, "<figure class=\"bare\"")
	if answer < 0 || figure < answer || nav < figure || strings.Contains(page, "<script") {
		t.Errorf("answer %d, figure %d, list %d", answer, figure, nav)
	}
}

// TestAnswersAreCounted in all their forms.
func TestAnswersAreCounted(t *testing.T) {
	meant := map[rune]report.Outcome{'p': report.Pass, 'f': report.Fail, 'o': report.Inconclusive, 'w': report.Fail, 'x': report.Fail}
	for outcomes, want := range map[string]string{
		"":    "Nothing was required.",
		"p":   "The release meets the policy: 1 requirement is met.",
		"ppp": "The release meets the policy: 3 requirements are met.",
		"po":  "Nothing failed, and 1 of 2 requirements stayed open.",
		"pw":  "The release meets the policy: 2 requirements are met; 1 is waived.",
		"fx":  "The release does not meet the policy: 2 of 2 requirements failed.",
	} {
		r := &Result{}
		for _, o := range outcomes {
			q := Requirement{Outcome: meant[o]}
			if o == 'w' || o == 'x' {
				q.Waiver = &Waiver{Expired: o == 'x'}
			}
			r.Requirements = append(r.Requirements, q)
		}
		if r.Sum(); r.Answer != want {
			t.Errorf("%q: %s", outcomes, r.Answer)
		}
	}
}

// TestCurvesStandWhereBothAreKnown: a picture for the model of which attacks and proofs are known, none for another.
func TestCurvesStandWhereBothAreKnown(t *testing.T) {
	one := func(kind, model string, eps, value float64) Requirement {
		return Requirement{Name: fmt.Sprint(kind, model, eps), Kind: kind, Model: model, Data: "d", Eps: &eps, Norm: "linf", Outcome: report.Pass,
			Tests: []Test{{Figure: kind, Value: report.Number(value), Low: 0, High: 1}}}
	}
	r := &Result{Requirements: []Requirement{one("clean_accuracy", "a", 0, 0.9), one("robust_accuracy", "a", 0.2, 0.6),
		one("robust_accuracy", "a", 0.1, 0.7),
		one("certified_accuracy", "a", 0.2, 0.5), one("robust_accuracy", "b", 0.1, 0.7)}}
	got := r.curves()
	if len(got) != 1 {
		t.Fatalf("%d curves", len(got))
	}
	f := got[0].(report.Figure)
	if f.Alt != "accuracy of a under attack: 0.9 at 0, 0.7 at 0.1, 0.6 at 0.2; proven: 0.9 at 0, 0.5 at 0.2" ||
		strings.Count(string(f.SVG), "<path") != 3 ||
		strings.Count(string(f.SVG), "<circle") != 2 || !strings.Contains(string(f.SVG), "<polygon") {
		t.Errorf("%s\n%s", f.Alt, f.SVG)
	}
	r.Requirements[3].Eps = new(float64)
	*r.Requirements[3].Eps = 0.05
	if f := r.curves()[0].(report.Figure); strings.Contains(string(f.SVG), "<polygon") {
		t.Error("there is a band where nothing is known")
	}
}

// TestReleasesStandSideBySide: what was before, what is now and by how much it changed, in the table and in the picture.
func TestReleasesStandSideBySide(t *testing.T) {
	r := sample()
	s := r.besideSection()
	if s == nil {
		t.Fatal("there is no section")
	}
	table := s.Blocks[0].(report.Table)
	var got []string
	for _, row := range table.Rows {
		got = append(got, strings.Join(row[2:6], " "))
	}
	if want := []string{hostile + ": 0.6250 candidate: 0.5000 -0.1250 8", "old: 12,345 candidate: 12,355 +10 –"}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%q, want %q", got, want)
	}
	f := r.besideFigure()
	if f == nil || strings.Count(string(f.SVG), "<circle") != 2 || !strings.Contains(f.Alt, "0.625 before, 0.5 after") { // sizes are no shares
		t.Errorf("%+v", f)
	}
	// 0.625 and 0.5 of the width between the names and the right edge
	for _, at := range []string{"cx=\"346.8\"", "cx=\"309.0\""} {
		if !strings.Contains(string(f.SVG), at) {
			t.Errorf("no circle at %s: %s", at, f.SVG)
		}
	}
	if q := (&Result{Requirements: []Requirement{{Name: "x"}}}); q.besideSection() != nil || q.besideFigure() != nil {
		t.Error("nothing was compared, and it is shown")
	}
	page := string(r.Document().HTML())
	for _, want := range []string{"<h2 id=\"s2\">Before and after</h2>", "<summary>Radii of each class</summary>", "class 1: median 0.5"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %s", want)
		}
	}
}

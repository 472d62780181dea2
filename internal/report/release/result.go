// Package release is what became of a release that was held to a policy, and its views: words, JSON, JUnit, SARIF, annotations, Markdown, HTML, a
// statement to sign. A Result (result.go) is plain data; package gate fills it in. Views (views.go has their table) add nothing to it.
//
// All text in a result may be of others, and passes through package foreign on its way out.
package release

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/report"
)

// Schema names the form of a Result in JSON. A field is only ever added under the same name.
const Schema = "shoal-check/1"

// Result is what became of a policy. It holds no times: what is asked again, or in parts, gives the same.
type Result struct {
	Schema  string         `json:"schema"`
	Outcome report.Outcome `json:"outcome"` // with waivers
	Answer  string         `json:"answer"`  // in a line
	Policy  Policy         `json:"policy"`
	Models  []Model        `json:"models"`
	Data    []Data         `json:"data"`
	Version string         `json:"shoal_version"`
	Engine  string         `json:"engine"`
	// Confidence is that of outcomes about samples; null where the samples are taken for all that there is.
	Confidence   *float64      `json:"confidence"`
	Requirements []Requirement `json:"requirements"`
	Interrupted  bool          `json:"interrupted,omitempty"`
	// Incomplete is there where records that a report is made of lack answers that an outcome needs.
	Incomplete *Incomplete `json:"incomplete,omitempty"`
}

// Incomplete tells how many of a policy's answers there are. Where a requirement is decided early, not all of them are needed.
type Incomplete struct {
	Answers int `json:"answers"`
	Of      int `json:"of"`
}

// Policy names the file.
type Policy struct {
	Path   string `json:"path"`
	Name   string `json:"name,omitempty"`
	SHA256 string `json:"sha256"`
}

// Model is one of a policy.
type Model struct {
	Name   string `json:"name"`
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
}

// Data is a data set of a policy.
type Data struct {
	Name    string `json:"name"`
	From    string `json:"from"`
	SHA256  string `json:"sha256"`
	Samples int    `json:"samples"`
}

// Requirement is what became of one.
type Requirement struct {
	Name    string         `json:"name"`
	Kind    string         `json:"kind"`
	Model   string         `json:"model"`
	Data    string         `json:"data,omitempty"`
	Eps     *float64       `json:"eps,omitempty"` // of an attack or a proof, in pixel units
	Norm    string         `json:"norm,omitempty"`
	What    string         `json:"what"`    // is required, in words
	Outcome report.Outcome `json:"outcome"` // without a waiver
	Waiver  *Waiver        `json:"waiver,omitempty"`
	Line    int            `json:"line"` // in the policy
	Column  int            `json:"column"`
	Reason  string         `json:"reason"`
	Do      string         `json:"do,omitempty"` // what to do about it
	// Reproduce are commands that show the same, from the policy's folder.
	Reproduce []string `json:"reproduce,omitempty"`
	Tests     []Test   `json:"tests,omitempty"`
	Items     []Item   `json:"items,omitempty"`
	Samples   int      `json:"samples,omitempty"` // that the outcome is made of
	Of        int      `json:"of,omitempty"`
	Worst     []Sample `json:"worst,omitempty"`
	// Confusion counts, of the samples that are decided rightly unchanged, what an attack made of each class: [from][to].
	Confusion [][]int `json:"confusion,omitempty"`
	// Beside are figures of another model on the same samples, and of this one: before and after.
	Beside []Beside `json:"beside,omitempty"`
	// Radii are the proven radii of each class, where they are asked for.
	Radii []Radii `json:"radii,omitempty"`
	// Unsupported tells that the question could not be asked since something in the model is not known.
	Unsupported bool `json:"unsupported,omitempty"`
}

// Beside is a figure of two models.
type Beside struct {
	Figure  string        `json:"figure"`
	Against string        `json:"against"` // the model that was before
	Before  report.Number `json:"before"`
	After   report.Number `json:"after"`
	Samples int           `json:"samples,omitempty"` // that both are of; none where it is of the files
}

// Radii are the proven radii of a class; those of samples that are decided wrongly are 0.
type Radii struct {
	Class    int           `json:"class"`
	Samples  int           `json:"samples"`
	Smallest report.Number `json:"smallest"`
	Quantile report.Number `json:"quantile"` // the requirement's
	Median   report.Number `json:"median"`
	Largest  report.Number `json:"largest"`
}

// Waiver is one that the policy has.
type Waiver struct {
	Reason  string `json:"reason"`
	Owner   string `json:"owner"`
	Until   string `json:"until"`
	Expired bool   `json:"expired"`
}

// Test is a figure over samples held to a limit.
type Test struct {
	Figure  string         `json:"figure"` // accuracy, or the change that is meant
	Group   string         `json:"group,omitempty"`
	Outcome report.Outcome `json:"outcome"`
	Value   report.Number  `json:"value"`
	Low     report.Number  `json:"low"` // bounds of the figure, each with the error that the look has
	High    report.Number  `json:"high"`
	Limit   float64        `json:"limit"`
	Sense   string         `json:"sense"` // at_least or at_most
	Samples int            `json:"samples"`
}

// Item is a thing that a model was looked at for.
type Item struct {
	Name    string         `json:"name"`
	Outcome report.Outcome `json:"outcome"`
	Value   string         `json:"value"`
	Want    string         `json:"want"`
	Words   string         `json:"words,omitempty"`
}

// Sample is one that does not hold.
type Sample struct {
	Sample    int           `json:"sample"` // its number in the data
	Label     int           `json:"label"`
	Predicted int           `json:"predicted"`
	Class     int           `json:"class"` // that an attack found, else the predicted one
	Value     report.Number `json:"value"` // how far the attack went, or the radius that is proven
	Upper     report.Number `json:"upper"`
	Words     string        `json:"words,omitempty"`
	// Proven is what another requirement's records know of the sample: the radius up to which its decision is proven; null where none does.
	Proven    report.Number `json:"proven"`
	Reproduce string        `json:"reproduce,omitempty"`
	Picture   []byte        `json:"picture,omitempty"` // PNG: the sample, and what the attack made of it, and the difference
}

// Waived tells that a requirement is not met, and may be so today.
func (r *Requirement) Waived() bool {
	return r.Outcome != report.Pass && r.Waiver != nil && !r.Waiver.Expired
}

// Counted is a requirement's outcome with its waiver.
func (r *Requirement) Counted() report.Outcome {
	if r.Waived() {
		return report.Pass
	}
	return r.Outcome
}

// Sum fills in the outcome of all requirements, and the answer.
func (r *Result) Sum() {
	n := map[report.Outcome]int{}
	waived := 0
	for i := range r.Requirements {
		q := &r.Requirements[i]
		n[q.Counted()]++
		if q.Waived() {
			waived++
		}
	}
	all := len(r.Requirements)
	switch {
	case n[report.Fail] > 0:
		r.Outcome = report.Fail
		r.Answer = fmt.Sprintf("The release does not meet the policy: %d of %s failed", n[report.Fail], requirements(all))
		if k := n[report.Inconclusive]; k > 0 {
			r.Answer += fmt.Sprintf(", and %d stayed open", k)
		}
	case n[report.Inconclusive] > 0:
		r.Outcome = report.Inconclusive
		r.Answer = fmt.Sprintf("Nothing failed, and %d of %s stayed open", n[report.Inconclusive], requirements(all))
	case all == 0:
		r.Outcome, r.Answer = report.Inconclusive, "Nothing was required"
	default:
		r.Outcome = report.Pass
		r.Answer = "The release meets the policy: " + requirements(all)
		if all == 1 {
			r.Answer += " is met"
		} else {
			r.Answer += " are met"
		}
	}
	switch {
	case waived == 1:
		r.Answer += "; 1 is waived"
	case waived > 1:
		r.Answer += fmt.Sprintf("; %d are waived", waived)
	}
	r.Answer += "."
	if r.Interrupted {
		r.Answer = "Interrupted. " + r.Answer
	}
	if i := r.Incomplete; i != nil {
		r.Answer = fmt.Sprintf("Incomplete: %d of %d answers are there. ", i.Answers, i.Of) + r.Answer
	}
}

func requirements(n int) string {
	if n == 1 {
		return "1 requirement"
	}
	return fmt.Sprintf("%d requirements", n)
}

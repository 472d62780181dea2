package record

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"

	"github.com/shallow-waters/shoal/internal/output"
)

// form is raised when files of an older form cannot be gone on with.
const form = 1

// Plan is what records are of. Answers are only comparable where all of it is the same.
type Plan struct {
	Question string `json:"question"`     // the command, or the kind of work
	Model    string `json:"model_sha256"` // of all models, one behind the other, where there are several
	Data     string `json:"data_sha256"`  // "" without data
	Subject  any    `json:"subject"`      // what is asked of the model
	Settings any    `json:"settings"`     // everything else that an answer depends on, and nothing that it does not
	Version  string `json:"version"`      // of the program
}

// Machine is where records were made. It is no part of the plan.
type Machine struct {
	OS    string `json:"os"`
	Arch  string `json:"arch"`
	Cores int    `json:"cores"`
}

// Head is the first line of a file.
type Head struct {
	Form    int     `json:"shoal_records"`
	Hash    string  `json:"plan_sha256"` // of Plan's JSON, keys sorted
	Plan    Plan    `json:"plan"`
	Machine Machine `json:"machine"`
}

// Kind is a file of records, as outputs are told apart.
var Kind = output.JSONLines("a file of records of this version of shoal", "shoal_records", "plan_sha256", "plan")

// plain is a plan as it comes back from a file: keys sorted, numbers as they were written.
func (p Plan) plain() (Plan, []byte, error) {
	var out Plan
	text, err := json.Marshal(p)
	if err != nil {
		return out, nil, fmt.Errorf("the settings of the records: %w", err)
	}
	if out, err = decodePlan(text); err != nil {
		return out, nil, err
	}
	text, err = json.Marshal(out)
	return out, text, err
}

func decodePlan(text []byte) (p Plan, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	err = d.Decode(&p)
	return p, err
}

// newHead is the head of a file of a plan, made here.
func newHead(p Plan) (Head, error) {
	plan, text, err := p.plain()
	if err != nil {
		return Head{}, err
	}
	sum := sha256.Sum256(text)
	return Head{Form: form, Hash: hex.EncodeToString(sum[:]), Plan: plan, Machine: Machine{runtime.GOOS, runtime.GOARCH, runtime.NumCPU()}}, nil
}

// OtherError tells that a file is not of the records that were asked for. It was left as it is.
type OtherError struct {
	Path string
	Why  string
}

func (e *OtherError) Error() string { return fmt.Sprintf("%s %s", e.Path, e.Why) }

// differs says in which parts two plans differ.
func (p Plan) differs(from Plan) string {
	var parts []string
	add := func(name string, a, b any) {
		x, _ := json.Marshal(a)
		if y, _ := json.Marshal(b); !bytes.Equal(x, y) {
			parts = append(parts, name)
		}
	}
	add("question", p.Question, from.Question)
	add("model", p.Model, from.Model)
	add("data", p.Data, from.Data)
	add("subject", p.Subject, from.Subject)
	add("settings", p.Settings, from.Settings)
	add("version of shoal", p.Version, from.Version)
	return strings.Join(parts, ", ")
}

// Details reads a plan's subject and settings back into what they were made of.
func (p Plan) Details(subject, settings any) error {
	for _, part := range []struct{ from, into any }{{p.Subject, subject}, {p.Settings, settings}} {
		text, err := json.Marshal(part.from)
		if err == nil {
			err = json.Unmarshal(text, part.into)
		}
		if err != nil {
			return fmt.Errorf("the plan of the records: %w", err)
		}
	}
	return nil
}

// Decode reads an answer.
func (l Line) Decode(result any) error { return json.Unmarshal(l.Result, result) }

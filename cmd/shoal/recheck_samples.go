package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify"
	"github.com/shallow-waters/shoal/verify/certificate"
	"github.com/shallow-waters/shoal/verify/recheck"
)

// recheckedDoc is what came of one certificate of many. Index, label and radius stand where it had to be about a sample.
type recheckedDoc struct {
	Index *int           `json:"index,omitempty"`
	Label *int           `json:"label,omitempty"`
	Eps   *report.Number `json:"eps,omitempty"`
	File  string         `json:"file"`
	recheck.Result
}

// recheckedSum counts them. Of samples proven ones are decided as their label in the whole ball, and disproven ones are not.
type recheckedSum struct {
	Accepted  bool           `json:"accepted"`
	Statement string         `json:"statement"`
	Model     recheck.Model  `json:"model"`
	Proven    int            `json:"proven"`
	Disproven int            `json:"disproven"`
	Refused   int            `json:"refused"`
	Missing   int            `json:"missing"` // samples at a radius without a certificate
	Files     []recheckedDoc `json:"certificates"`
}

func (s *recheckedSum) add(doc recheckedDoc) {
	s.Files = append(s.Files, doc)
	switch {
	case !doc.Accepted:
		s.Refused++
	case doc.Kind == certificate.Counterexample:
		s.Disproven++
	default:
		s.Proven++
	}
}

// end says what is proven. Where a certificate is refused, or none is there, the exit code tells it.
func (s *recheckedSum) end(c *cli.Context, statement string) (err error) {
	s.Accepted = s.Refused == 0 && s.Proven+s.Disproven > 0
	if s.Accepted {
		s.Statement = statement
	}
	if jsonMode(c) != "" {
		err = printJSON(c.App.Writer, s)
	} else {
		word := "proven"
		if !s.Accepted {
			word = "refused"
		}
		_, err = foreign.Fprintf(c.App.Writer, "%s: %s; %d refused\n", word, statement, s.Refused)
	}
	if err == nil && !s.Accepted {
		return &codeError{code: exitViolated}
	}
	return err
}

// say prints one certificate's line.
func (s *recheckedSum) say(c *cli.Context, what string, r recheck.Result) error {
	if jsonMode(c) != "" {
		return nil
	}
	text := foreign.Sprintf("proven: %s (%d parts, %.2f s)", what, r.Leaves, r.Seconds)
	if !r.Accepted {
		text = foreign.Sprintf("refused: %s: %s", what, r.Reason)
	}
	_, err := foreign.Fprintf(c.App.Writer, "%s\n", text)
	return err
}

// recheckFolder proves every certificate of a folder again, each of the property that it names.
func recheckFolder(c *cli.Context, m *onnxio.Model, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var names []string
	for _, e := range entries {
		if filepath.Ext(e.Name()) == ".cert" {
			names = append(names, e.Name())
		}
	}
	shard, err := shardOf(c.String("shard"), os.Getenv)
	if err != nil {
		return err
	}
	from, to := shard.Of(len(names))
	s := &recheckedSum{Model: recheck.Model{SHA256: m.SHA256}, Files: []recheckedDoc{}}
	for _, name := range names[from:to] {
		r, err := recheckFile(c, m, filepath.Join(dir, name), nil)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		s.add(recheckedDoc{File: name, Result: r})
		what := name
		if r.Accepted {
			what += ": " + r.Statement
		}
		if err := s.say(c, what, r); err != nil {
			return err
		}
	}
	return s.end(c, fmt.Sprintf("of the model with SHA-256 %s what %d certificates claim: %d proofs, %d counterexamples", m.SHA256, s.Proven+s.Disproven, s.Proven, s.Disproven))
}

// recheckSamples proves again what is claimed of samples: the property of each is made anew from the data, and its certificate must be of that.
func recheckSamples(c *cli.Context, m *onnxio.Model, path string, folder bool) error {
	sub, set, err := answering(c, m, trial.Proven)
	if err == nil {
		err = wholeFile(m, sub)
	}
	if err != nil {
		return err
	}
	v, err := trial.OpenVerifier(c.Context, sub, verify.Options{Method: verify.Interval})
	if err != nil {
		return err
	}
	defer v.Close()
	info := v.Info()
	data, err := joined(c, set, info.InputShape)
	if err == nil {
		err = checkLabels(c, data, sub)
	}
	if err != nil {
		return err
	}
	saySubject(c, sub)
	sayRange(c, data)
	shard, err := shardOf(c.String("shard"), os.Getenv)
	if err != nil {
		return err
	}
	from, to := shard.Of(data.Len())
	list := epsilonsOf(c)
	if !folder && (to-from != 1 || len(list) != 1) {
		return usageError("--range a:b and one --eps name one; of several the folder has a file each", "%s is one certificate, for %d samples at %d radii", path, to-from, len(list))
	}
	s := &recheckedSum{Model: recheck.Model{SHA256: m.SHA256}, Files: []recheckedDoc{}}
	for i := from; i < to; i++ {
		x, err := data.Center(i)
		if err != nil {
			return err
		}
		for _, e := range list {
			claim, err := verify.Claim(sub.Holds(data.Ball(x, e.Value), data.Labels[i], nil), info.Inputs, info.Outputs)
			if err != nil {
				return err
			}
			file := path
			if folder {
				file = filepath.Join(path, certificateOf(data.Index[i], e.Value))
			}
			r, err := recheckFile(c, m, file, &claim)
			if folder && errors.Is(err, os.ErrNotExist) {
				s.Missing++
				continue
			}
			if err != nil {
				return fmt.Errorf("%s: %w", filepath.Base(file), err)
			}
			eps := report.Number(e.Value)
			s.add(recheckedDoc{Index: &data.Index[i], Label: &data.Labels[i], Eps: &eps, File: filepath.Base(file), Result: r})
			what := fmt.Sprintf("sample %d, eps %s", data.Index[i], e.Text)
			switch {
			case !r.Accepted:
			case r.Kind == certificate.Counterexample:
				what += fmt.Sprintf(": an input of the ball is not decided as %d", data.Labels[i])
			default:
				what += fmt.Sprintf(": every input of the ball is decided as %d", data.Labels[i])
			}
			if err := s.say(c, what, r); err != nil {
				return err
			}
		}
	}
	at := ""
	if len(list) > 1 {
		at = fmt.Sprintf(" at each of %d radii", len(list))
	}
	return s.end(c, fmt.Sprintf("of the model with SHA-256 %s, as a function of real numbers: of %d samples%s %d are decided as their label in the whole ball, %d are not, %d have no certificate",
		m.SHA256, to-from, at, s.Proven, s.Disproven, s.Missing))
}

package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/gate"
	"github.com/shallow-waters/shoal/internal/output"
	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/report/release"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/internal/trial/record"
)

// endings are the kinds of report by the ending of a file's name.
var endings = map[string]string{".html": "html", ".md": "markdown", ".xml": "junit", ".sarif": "sarif", ".json": "json", ".txt": "text"}

func endingsList() string { return strings.Join(slices.Sorted(maps.Keys(endings)), ", ") }

// viewOf is the kind of report that a file's name asks for.
func viewOf(path string) string { return endings[strings.ToLower(filepath.Ext(path))] }

func reportCommand() *cli.Command {
	return &cli.Command{
		Name:      "report",
		Usage:     "make a report of the records of a run",
		ArgsUsage: "RECORDS...",
		Description: "Example: shoal report records.jsonl -o report.html\n\n" +
			"Records are those that check, certify, radius, attack or compare kept with --records, of one run or of all its shards. The form is that of the\n" +
			"file's ending: " + endingsList() + "; .xml and .sarif for check alone. Nothing is asked again, and neither models nor data are needed.\n" +
			"Records that lack answers are told as far as they go, with what is missing. Exit codes are those of shoal check for its records; 0 for the\n" +
			"others, and 11 where answers are missing.",
		Flags:  []cli.Flag{&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "`FILE` that is written"}, jsonOption()},
		Action: reportAction,
	}
}

func reportAction(c *cli.Context) error {
	files := c.Args().Slice()
	head, lines, err := record.Join(files)
	var gap *record.GapError
	if errors.As(err, &gap) {
		err = nil
	}
	var other *record.OtherError
	if errors.As(err, &other) {
		return usageError("check, certify, radius, attack and compare write such files with --records FILE", "%v", err)
	}
	if err != nil {
		return unjoined(err)
	}
	if head.Plan.Question == gate.Question {
		run, err := gate.Recorded(files[0], head, lines) // which knows what a policy that decided early did not ask for
		if errors.As(err, &other) {
			return usageError("shoal check --records FILE writes such files", "%v", err)
		}
		if err != nil {
			return err
		}
		return tellRelease(c, run, [][2]string{{viewOf(c.String("output")), c.String("output")}})
	}
	r, err := trial.Recorded(head, lines, gap)
	if err != nil {
		return usageError("shoal report takes records of check, certify, radius, attack and compare", "%s %v", files[0], err)
	}
	return tellAnswers(c, r)
}

// tellAnswers prints a question's answer, and writes the view that --output asks for.
func tellAnswers(c *cli.Context, r *report.Result) error {
	path := c.String("output")
	d, err := r.Document()
	if err != nil {
		return err
	}
	doc := r.Summary()
	maps.Copy(doc, r.Whole())
	doc["question"], doc["answer"] = r.Question, r.Answer()
	if m := r.Recorded.Missing; m != nil {
		doc["incomplete"] = m
	}
	var text []byte
	switch kind := viewOf(path); kind {
	case "html":
		text = d.HTML()
	case "markdown":
		text = d.Markdown()
	case "text":
		text = []byte(foreign.Sprintf("%s\n%s\n\n%s", d.Title, r.Answer(), r.Words()).String())
	case "json":
		if text, err = release.Encode(doc); err != nil {
			return err
		}
	default:
		return usageError("-o FILE.html, .md, .json or .txt", "--output %s: %s is for records of shoal check: %s has no requirements that failed or were met", path, kind, r.Question)
	}
	if err := output.Write(path, text); err != nil {
		return err
	}
	if jsonMode(c) != "" {
		if err := printJSON(c.App.Writer, doc); err != nil {
			return err
		}
		return wholeOrOpen(r)
	}
	if _, err = foreign.Fprintf(c.App.Writer, "%s\n", r.Answer()); err != nil {
		return err
	}
	return wholeOrOpen(r)
}

// wholeOrOpen is the exit code of a report: what is not whole is open.
func wholeOrOpen(r *report.Result) error {
	if r.Recorded.Missing != nil {
		return &codeError{code: exitInconclusive}
	}
	return nil
}

// answersKinds are what views of questions begin with, beside those of releases.
var answersKinds = map[string]output.Kind{
	"markdown": output.StartsWith("", startsOf("# shoal ")...),
	"text":     output.StartsWith("", startsOf("shoal ")...),
	"json":     output.JSON("", "question", "answer"),
}

func startsOf(before string) (out []string) {
	for _, q := range []report.Question{report.Certify, report.Radii, report.Attack, report.Compare} {
		out = append(out, fmt.Sprintf("%s%s: ", before, q))
	}
	return out
}

// reportFlag is --output of report.
func reportFlag(p *output.Plan, name, path string) {
	kind := viewOf(path)
	if kind == "" {
		kind = "html"
	}
	k := release.Views[kind].Kind
	if own, ok := answersKinds[kind]; ok {
		of := k.Is
		k.Name = "a report"
		k.Is = func(f *os.File) bool {
			if of(f) {
				return true
			}
			_, err := f.Seek(0, 0)
			return err == nil && own.Is(f)
		}
	}
	k.Endings = slices.Sorted(maps.Keys(endings))
	p.File(name, path, k)
}

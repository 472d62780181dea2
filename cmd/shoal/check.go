package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/gate"
	"github.com/shallow-waters/shoal/internal/input"
	"github.com/shallow-waters/shoal/internal/output"
	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/report/release"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/internal/trial/record"
	"github.com/shallow-waters/shoal/onnxio/engine"
)

// usualPolicy is read where no policy is named.
const usualPolicy = "shoal.yaml"

func checkCommand() *cli.Command {
	flags := []cli.Flag{engineFlag("go"), libraryFlag(), // what a policy says does not depend on what a machine has
		wholeFlag("device", "number `N` of the GPU", "0", 0),
		threadsFlag(),
		&cli.GenericFlag{Name: "report", Value: &views{}, Usage: "write `KIND=FILE`, several with commas: " + strings.Join(release.Names(), ", ")},
		recordsFlag(), shardFlag(),
		&cli.GenericFlag{Name: "only", Value: &chosen{}, Usage: "ask the requirement of that `NAME` alone; may be repeated"},
		&cli.BoolFlag{Name: "schema", Usage: "print the JSON Schema of policies, for editors, and do nothing else"},
		jsonOption()}
	return &cli.Command{
		Name:      "check",
		Usage:     "hold a release to a policy",
		ArgsUsage: "[POLICY]",
		Description: "Example: shoal check shoal.yaml --report junit=junit.xml,sarif=shoal.sarif,html=report.html\n\n" +
			"POLICY is shoal.yaml where it is not given; paths in it are relative to its folder. The exit code is 0 where all requirements are met\n" +
			"(waived ones are told), 12 where one failed, 11 where none failed and one stayed open, 13 where that is for an unsupported model, 2 where the policy is wrong.",
		Flags:  flags,
		Action: question(checkAction),
	}
}

// views are the files of --report.
type views struct {
	text string
	list [][2]string // kind and file
}

// Set implements cli.Generic.
func (v *views) Set(text string) error {
	for _, one := range strings.Split(text, ",") {
		kind, file, ok := strings.Cut(one, "=")
		if _, known := release.Views[kind]; !known || !ok || file == "" {
			return fmt.Errorf("want KIND=FILE with KIND one of %s", strings.Join(release.Names(), ", "))
		}
		if slices.ContainsFunc(v.list, func(x [2]string) bool { return x[1] == file }) {
			return fmt.Errorf("%s is there twice", file)
		}
		v.list = append(v.list, [2]string{kind, file})
	}
	if v.text != "" {
		text = v.text + "," + text
	}
	v.text = text
	return nil
}

func (v *views) String() string { return v.text }

// chosen are the names of --only.
type chosen struct{ names []string }

// Set implements cli.Generic.
func (o *chosen) Set(text string) error {
	if text == "" {
		return errors.New("want the name of a requirement")
	}
	o.names = append(o.names, text)
	return nil
}

func (o *chosen) String() string { return strings.Join(o.names, ", ") }

func onlyOf(c *cli.Context) []string {
	if o, ok := c.Generic("only").(*chosen); ok {
		return o.names
	}
	return nil
}

func viewsOf(c *cli.Context) [][2]string {
	if v, ok := c.Generic("report").(*views); ok {
		return v.list
	}
	return nil
}

// reportsFlag adds the files of --report to what a command writes.
func reportsFlag(p *output.Plan, name, value string) {
	var v views
	if v.Set(value) == nil {
		for _, one := range v.list {
			p.File(name+" "+one[0], one[1], release.Views[one[0]].Kind)
		}
	}
}

func policyPath(c *cli.Context) string {
	if c.NArg() == 0 {
		return usualPolicy
	}
	return c.Args().First()
}

func checkAction(c *cli.Context) error {
	if c.Bool("schema") {
		return printJSON(c.App.Writer, json.RawMessage(gate.Schema()))
	}
	path := policyPath(c)
	text, err := input.ReadFile(c.Context, path)
	if err != nil {
		return err
	}
	p, err := readPolicy(c, path, text)
	if err != nil {
		return err
	}
	shard, err := shardOf(c.String("shard"), os.Getenv)
	if err != nil {
		return err
	}
	for _, name := range onlyOf(c) {
		if !slices.Contains(p.Names(), name) {
			return usageError("its requirements are "+strings.Join(p.Names(), ", "), "--only %s: the policy has no such requirement", name)
		}
	}
	eo := engineOptions(c)
	eo.Threads = 0
	if eo.Engine != "go" {
		if _, err := engine.Check(c.Context, eo); err != nil {
			return err
		}
	}
	progress := newPolicyProgress(c)
	run, err := gate.Check(c.Context, p, text, gate.Options{Engine: eo, Threads: c.Int("threads"), Version: buildOf(), Shard: shard, Only: onlyOf(c),
		Records: c.String("records"), Progress: progress.tell})
	progress.end()
	var other *record.OtherError
	if errors.As(err, &other) {
		return usageError("name another file, or give the same policy, models, data and program", "--records %v", err)
	}
	var faults gate.Faults
	if errors.As(err, &faults) {
		return showFaults(c, path, faults)
	}
	if err != nil {
		return asUsage(err)
	}
	if shard.N > 0 {
		answered, units := run.Answers()
		return saidShard(c, shard, answered, units, run.Cut())
	}
	return tellRelease(c, run, viewsOf(c))
}

// readPolicy parses a policy, and shows every fault where it stands.
func readPolicy(c *cli.Context, path string, text []byte) (*gate.Policy, error) {
	p, err := gate.Parse(path, text)
	var faults gate.Faults
	if !errors.As(err, &faults) {
		return p, err
	}
	return nil, showFaults(c, path, faults)
}

// showFaults shows faults where they stand. The policy is wrong where one of them is its own, or of the reading of what it names; else that is what
// could not be opened.
func showFaults(c *cli.Context, path string, faults gate.Faults) error {
	words := &foreign.Builder{}
	code := exitError
	for i, f := range faults {
		if f.Err == nil || errors.As(f.Err, new(*trial.UnclearError)) {
			code = exitUsage
		}
		line, caret := f.Quote()
		words.Printf("%s\n  %s\n  %s\n", f.Error(), line, caret)
		if f.Hint != "" && i < len(faults)-1 {
			words.Printf("hint: %s\n", f.Hint)
		}
	}
	last := faults[len(faults)-1]
	foreign.Fprintf(c.App.ErrWriter, "%s", words.Text())
	n := "1 fault"
	if len(faults) > 1 {
		n = fmt.Sprintf("%d faults", len(faults))
	}
	return &codeError{code: code, err: fmt.Errorf("%s has %s", path, n), hint: last.Hint}
}

// tellRelease prints a result, writes its views, and gives its exit code.
func tellRelease(c *cli.Context, run *gate.Run, files [][2]string) error {
	r := run.Result(time.Now())
	for _, one := range files {
		text, err := release.Views[one[0]].Make(r)
		if err != nil {
			return fmt.Errorf("%s: %w", one[1], err)
		}
		if err := output.Write(one[1], text); err != nil {
			return err
		}
	}
	var err error
	if jsonMode(c) != "" {
		err = printJSON(c.App.Writer, r)
	} else {
		_, err = foreign.Fprintf(c.App.Writer, "%s", r.Text())
	}
	if err != nil {
		return err
	}
	return outcomeOf(r)
}

// outcomeOf is the exit code of a result.
func outcomeOf(r *release.Result) error {
	unsupported := ""
	for i := range r.Requirements {
		if q := &r.Requirements[i]; q.Unsupported && q.Counted() == report.Inconclusive && unsupported == "" {
			unsupported = fmt.Sprintf("%s: %s", q.Name, q.Reason)
		}
	}
	switch {
	case r.Outcome == report.Fail:
		return &codeError{code: exitThreshold}
	case r.Interrupted:
		return errCutShort()
	case unsupported != "":
		return &codeError{code: exitUnsupported, err: errors.New(unsupported), hint: "shoal inspect MODEL lists the operators and what is missing"}
	case r.Outcome == report.Inconclusive || r.Incomplete != nil:
		return &codeError{code: exitInconclusive}
	}
	return nil
}

// policyProgress shows how far a policy is.
type policyProgress struct {
	c    *cli.Context
	name string
	bar  *progress
	done int
}

func newPolicyProgress(c *cli.Context) *policyProgress { return &policyProgress{c: c} }

func (p *policyProgress) tell(at gate.Progress) {
	if at.Name != p.name {
		p.end()
		p.name, p.done, p.bar = at.Name, 0, newProgress(p.c.App.ErrWriter, at.Units, "checking")
	}
	for ; p.done < at.Done; p.done++ {
		p.bar.add()
	}
}

func (p *policyProgress) end() {
	if p.bar != nil {
		p.bar.finish()
		p.bar = nil
	}
}

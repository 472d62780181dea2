package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/input"
	"github.com/shallow-waters/shoal/internal/study"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/internal/trial/record"
	"github.com/shallow-waters/shoal/onnxio/engine"
)

func studyCommand() *cli.Command {
	flags := []cli.Flag{engineFlag("go"), libraryFlag(), // what a report says does not depend on what a machine has
		wholeFlag("device", "number `N` of the GPU", "0", 0),
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "folder `DIR` for the report and for finished steps"},
		threadsFlag(),
		own(wordFlag("preset", "instead of a file one of the thesis' grids: "+strings.Join(study.Presets(), ", ")+
			"; its data lie in the folder of the call", "", study.Presets()...), "none"),
		&cli.BoolFlag{Name: "print", Usage: "print the file of --preset, and run nothing"},
		&cli.BoolFlag{Name: "power", Usage: "run nothing: the file is a finished study's study.json, and what seeds and images would separate its claims is printed"},
		own(wordFlag("only", "models: make and test them, and end there", "", onlyModels), "everything"), recordsFlag(), shardFlag(),
		&cli.BoolFlag{Name: "require-claims", Usage: "exit with code 12 unless all claims pass"},
		jsonOption()}
	return &cli.Command{
		Name:      "study",
		Usage:     "distil, prune, attack and certify by a plan, and check claims",
		ArgsUsage: "STUDY.yaml",
		Description: "Example: shoal study testdata/study-quick.yaml -o quick\n\n" +
			"DIR gets report.html, report.md with its pictures, study.json with every number, and cache/ with what is finished: a second run does\n" +
			"nothing, and a changed setting redoes only what depends on it. Ctrl-C leaves everything finished in place.\n\n" +
			"Shards (docs/scale.md) make the models first, --only models --shard I/N --records FILE, and ask about them then, --shard I/N --records FILE;\n" +
			"shoal merge puts both together, and the same lines with its files and without --shard go on.\n\n" +
			"The thesis' own grids are built in: shoal study --preset thesis-b-small -o small; --print shows the file.",
		Flags:  flags,
		Action: studyAction,
	}
}

func studyAction(c *cli.Context) error {
	if c.Bool("power") {
		return studyPower(c)
	}
	dir, path := c.String("output"), c.Args().First()
	var text []byte
	var err error
	if name := c.String("preset"); name != "" {
		path = name + ".yaml" // in the folder of the call
		text, err = study.Preset(name)
	} else {
		text, err = input.ReadFile(c.Context, path)
	}
	if err != nil {
		return err
	}
	if c.Bool("print") {
		w := foreign.NewWriter(c.App.Writer) // Fprintf would show the line ends: the file is read by shoal study again
		if _, err := w.Write(text); err != nil {
			return err
		}
		return w.Flush()
	}
	spec, err := study.Parse(text)
	if err != nil {
		return usageError("docs/commands.md lists the keys of a study", "%s: %s", path, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	shard, err := shardOf(c.String("shard"), os.Getenv)
	if err != nil {
		return err
	}
	reused, total := 0, 0
	progress := func(p study.Progress) {
		total = p.Total
		switch {
		case p.Reused:
			reused++
		case p.Again:
		case errors.Is(p.Err, study.ErrSkipped):
			foreign.Fprintf(c.App.ErrWriter, "%d/%d %s: %v\n", p.Done, p.Total, p.Name, p.Err)
		case p.Err != nil:
			foreign.Fprintf(c.App.ErrWriter, "%d/%d %s failed: %v\n", p.Done, p.Total, p.Name, p.Err)
		default:
			words := ""
			if p.Words != "" {
				words = ": " + p.Words
			}
			foreign.Fprintf(c.App.ErrWriter, "%d/%d %s%s (%.1f s)\n", p.Done, p.Total, p.Name, words, p.Seconds)
		}
	}
	eo := engineOptions(c)
	if eo.Engine != "go" { // what cannot be opened would fail step by step, and leave a report of failures where there was a better one
		if _, err := engine.Check(c.Context, eo); err != nil {
			return err
		}
	}
	o := study.Options{Dir: dir, Base: filepath.Dir(path), Engine: eo, Threads: c.Int("threads"), Version: version(), Progress: progress}
	if c.IsSet("records") {
		o.Records = func(p record.Plan, parts []record.Part) (*record.File, error) { return openPlan(c, p, parts) }
	}
	if c.String("only") == onlyModels || shard.N > 0 {
		return studyPart(c, spec, o, shard)
	}
	r, err := study.Run(c.Context, spec, o)
	if c.Context.Err() != nil {
		return &codeError{code: exitInterrupted, err: fmt.Errorf("interrupted; what is finished is in %s", filepath.Join(dir, "cache")),
			hint: "the same command goes on from there"}
	}
	if err != nil {
		return err
	}
	if reused > 0 {
		foreign.Fprintf(c.App.ErrWriter, "%d of %d steps had been done before\n", reused, total)
	}
	if err := r.Write(dir); err != nil {
		return err
	}
	if jsonMode(c) != "" {
		err = printJSON(c.App.Writer, r)
	} else {
		err = printStudy(c, r, dir)
	}
	if err != nil {
		return err
	}
	if len(r.Failures) > 0 {
		return &codeError{code: exitError, err: fmt.Errorf("%d steps failed; the report names them, the first is %v", len(r.Failures), r.Failures[0])}
	}
	if c.Bool("require-claims") {
		for _, cl := range r.Claims {
			if cl.Verdict != study.Pass {
				return &codeError{code: exitThreshold, err: fmt.Errorf("claim %d: %s", cl.Claim, cl.Verdict)}
			}
		}
	}
	return nil
}

// onlyModels is the word of --only.
const onlyModels = "models"

// studyPart makes models, or does what a shard has to do.
func studyPart(c *cli.Context, spec *study.Spec, o study.Options, shard trial.Shard) error {
	do := study.Ask
	if c.String("only") == onlyModels {
		do = study.Make
	}
	p, err := do(c.Context, spec, o, shard)
	if err != nil {
		return err
	}
	if len(p.Failures) > 0 {
		return &codeError{code: exitError, err: fmt.Errorf("%d steps failed, the first is %v", len(p.Failures), p.Failures[0]),
			hint: "only a run without --shard goes on past steps that fail; on: leaves models out"}
	}
	if shard.N > 0 || p.Cut {
		return saidShard(c, shard, p.Answers, p.Whole, p.Cut)
	}
	if jsonMode(c) != "" {
		return printJSON(c.App.Writer, map[string]any{"units": p.Whole, "output": o.Dir})
	}
	_, err = foreign.Fprintf(c.App.Writer, "the models are in %s\n", filepath.Join(o.Dir, "cache"))
	return err
}

// printStudy prints the claims; everything else is in the report.
func printStudy(c *cli.Context, r *study.Results, dir string) error {
	if len(r.Claims) == 0 {
		_, err := foreign.Fprintf(c.App.Writer, "the report is %s\n", filepath.Join(dir, "report.html"))
		return err
	}
	tw := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	foreign.Fprintln(tw, "claim\tverdict\t")
	for _, cl := range r.Claims {
		why, text := "", cl.Text
		if cl.Why != "" {
			why = " (" + strings.TrimSpace(cl.Why) + ")"
		}
		if cl.On != "" {
			text += " (" + cl.On + ")"
		}
		foreign.Fprintf(tw, "%d\t%s%s\t%s\n", cl.Claim, cl.Verdict, why, text)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	_, err := foreign.Fprintf(c.App.Writer, "\nthe report is %s\n", filepath.Join(dir, "report.html"))
	return err
}

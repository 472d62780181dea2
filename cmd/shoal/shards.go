package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/input"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/internal/trial/record"
)

// recordsFlag is --records of the commands that shards can be made of.
func recordsFlag() cli.Flag {
	return &cli.StringFlag{Name: "records", Usage: "`FILE` of records that finished samples are written to, and read from when it is there"}
}

func shardFlag() cli.Flag {
	return own(formFlag("shard", "`I/N`: of N parts only number I, from 0; auto takes both from a Slurm array or an indexed Kubernetes job", "", isShard), "all")
}

// shardKept is what --shard needs, ofAll the rule of flags about all samples, and keptOnce that of two files of records.
var (
	shardKept = need{flags: []string{"records"}, when: has("shard"), hint: "--records FILE keeps what the shard answers"}
	keptOnce  = rule{"resume", lacks("records"), "does not go with --records, which goes on where a run ended too"}
)

func ofAll(flags string) rule {
	return rule{flags, lacks("shard"), "does not go with --shard: shoal merge puts the shards together first"}
}

func isShard(text string) error {
	if text == "auto" {
		return nil
	}
	_, err := trial.ParseShard(text)
	if err != nil {
		return fmt.Errorf("%w, or auto", err)
	}
	return nil
}

// shardOf reads --shard. auto asks the environment: a Slurm array's task, or a Kubernetes job's index with the number of completions in SHOAL_SHARDS.
func shardOf(text string, env func(string) string) (trial.Shard, error) {
	if text != "auto" {
		return trial.ParseShard(text)
	}
	number := func(name string) (int, error) {
		n, err := strconv.Atoi(env(name))
		if err != nil {
			return 0, usageError("", "--shard auto: %s is %q in the environment, and no number", name, env(name))
		}
		return n, nil
	}
	switch {
	case env("SLURM_ARRAY_TASK_ID") != "":
		var at [4]int
		for i, name := range []string{"SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_MAX", "SLURM_ARRAY_TASK_COUNT"} {
			var err error
			if at[i], err = number(name); err != nil {
				return trial.Shard{}, err
			}
		}
		id, low, high, count := at[0], at[1], at[2], at[3]
		if high-low+1 != count || id < low || id > high {
			return trial.Shard{}, usageError("sbatch --array=0-7, or --shard I/N", "--shard auto: a Slurm array with gaps: %d tasks from %d to %d", count, low, high)
		}
		return trial.Shard{I: id - low, N: count}, nil
	case env("JOB_COMPLETION_INDEX") != "":
		i, err := number("JOB_COMPLETION_INDEX")
		if err != nil {
			return trial.Shard{}, err
		}
		if env("SHOAL_SHARDS") == "" {
			return trial.Shard{}, usageError("set SHOAL_SHARDS to the job's completions", "--shard auto: an indexed Kubernetes job does not say how many completions it has")
		}
		n, err := number("SHOAL_SHARDS")
		if err != nil {
			return trial.Shard{}, err
		}
		return trial.ParseShard(fmt.Sprintf("%d/%d", i, n))
	}
	return trial.Shard{}, usageError("--shard I/N", "--shard auto: neither a Slurm array (SLURM_ARRAY_TASK_ID) nor an indexed Kubernetes job (JOB_COMPLETION_INDEX) is in the environment")
}

// togetherOf is how many of n samples are asked together: what --batch says; without it, of a shard what makes all of them equal, and else what the
// records that are gone on with were made with, of shards for example, and what --batch is by itself.
func togetherOf(c *cli.Context, s trial.Shard, n int, key string) int {
	most := c.Int("batch")
	if c.IsSet("batch") || !c.IsSet("records") {
		return most
	}
	if g := record.Grain(c.String("records"), key); s.N == 0 && g > 0 {
		return min(g, most)
	}
	return s.Grain(n, most)
}

// saidShard tells what a shard has done.
func saidShard(c *cli.Context, s trial.Shard, answered, units int, cut bool) error {
	if cut {
		return errCutShort()
	}
	if jsonMode(c) != "" {
		return printJSON(c.App.Writer, map[string]any{"shard": fmt.Sprintf("%d/%d", s.I, s.N), "answers": answered, "units": units,
			"records": c.String("records")})
	}
	_, err := foreign.Fprintf(c.App.Writer, "shard %d/%d: %d of %d answers, in %s; shoal merge puts the shards together\n", s.I, s.N, answered, units, c.String("records"))
	return err
}

// buildOf is the version with the hash of the program's file: records of two builds are not put together.
func buildOf() string {
	text := version()
	path, err := os.Executable()
	if err != nil {
		return text
	}
	sum, err := input.SHA256(context.Background(), path)
	if err != nil {
		return text
	}
	const shown = 16
	return text + " " + sum[:shown]
}

// wholeOf are the parts of a run over samples that --records keeps: those of an index, at every key.
func wholeOf(c *cli.Context, index []int, grain int, keys ...string) (out []record.Part, err error) {
	if !c.IsSet("records") {
		return nil, nil
	}
	for _, key := range keys {
		if slices.ContainsFunc(out, func(p record.Part) bool { return p.Key == key }) {
			continue
		}
		one := record.Part{Key: key, N: len(index), Grain: grain}
		if len(index) > 0 {
			one.From = index[0]
		}
		out = append(out, one)
	}
	for i, at := range index {
		if at != index[0]+i {
			return nil, fmt.Errorf("sample %d comes behind %d: only samples in a row can be kept by --records", at, index[0]+i-1)
		}
	}
	return out, nil
}

// epsKeys are the keys of answers at radii.
func epsKeys(eps []trial.Eps) (out []string) {
	for _, e := range eps {
		out = append(out, e.Key())
	}
	return out
}

// saidPart tells what a shard of a question about samples has done.
func saidPart(c *cli.Context, s trial.Shard, f *record.File, parts []record.Part, cut bool) error {
	units := 0
	for _, p := range parts {
		units += p.N
	}
	return saidShard(c, s, f.Len(), units, cut)
}

func mergeCommand() *cli.Command {
	return &cli.Command{
		Name:      "merge",
		Usage:     "put the records of shards together",
		ArgsUsage: "RECORDS...",
		Description: "Example: shoal merge shard-*.jsonl -o records.jsonl && shoal check shoal.yaml --records records.jsonl\n\n" +
			"They are those of check, certify, radius, attack, compare and study with --shard; the same command with --records and without --shard then tells the result.\n" +
			"Of parts of one property (certify --vnnlib --shard) the verdict is told, and --certificate joins the parts' certificates.\n" +
			"Gaps, overlaps, and records of another policy, model, data or program are refused, and nothing is written then.",
		Flags: []cli.Flag{&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "`FILE` of records that is written"},
			&cli.StringFlag{Name: "certificate", Usage: "of a property's parts: write one certificate of the whole as a `FILE`, of those that the shards have written"}, jsonOption()},
		Action: func(c *cli.Context) error {
			n, err := record.Merge(c.String("output"), c.Args().Slice())
			if err != nil {
				return unjoined(err)
			}
			whole, err := mergedProperty(c, c.String("output"))
			if err != nil {
				return err
			}
			if jsonMode(c) != "" {
				doc := map[string]any{"answers": n, "files": c.NArg(), "output": c.String("output")}
				if whole != nil {
					doc["verdict"], doc["reason"], doc["certificate"] = whole.Verdict, whole.Reason, whole.Certificate
					doc["semantics"], doc["reading"], doc["departures"], doc["widened"] = whole.Semantics, whole.Reading, whole.Departures, whole.Widened
				}
				return printJSON(c.App.Writer, doc)
			}
			if _, err = foreign.Fprintf(c.App.Writer, "%d answers of %d files are in %s\n", n, c.NArg(), c.String("output")); err == nil && whole != nil {
				_, err = foreign.Fprintf(c.App.Writer, "%s: %s\n", whole.Verdict, whole.Reason)
				sayReading(c.App.Writer, readingNamed(whole.Reading), whole.Widened, whole.Departures)
			}
			return err
		},
	}
}

// unjoined is the error of shards that do not go together.
func unjoined(err error) error {
	var other *record.OtherError
	var gap *record.GapError
	var overlap *record.OverlapError
	switch {
	case errors.As(err, &other):
		return usageError("shards are of one command or policy, with the same models, data, settings and program", "%v", err)
	case errors.As(err, &gap):
		return &codeError{code: exitError, err: err, hint: "run that shard again with the same --shard and --records: it goes on where it was cut off"}
	case errors.As(err, &overlap):
		return usageError("name each shard once", "%v", err)
	}
	return err
}

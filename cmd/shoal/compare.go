package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/internal/trial/record"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/onnxio/infer"
	"github.com/shallow-waters/shoal/prune/equal"
	"github.com/shallow-waters/shoal/verify"
)

func compareCommand() *cli.Command {
	flags := append(append(append(append(dataFlags(), engineFlags()...), subjectFlags()...), inputFlags()...), dimFlag(), toleranceFlag("predictions agree where no output of the two differs by more than `T`"),
		own(formFlag("engine-b", "`ENGINE` for B, where it is another than --engine", "", isEngine), "that of --engine"),
		wholeFlag("samples", "without --data: `N` random inputs", "16", 1),
		threadsFlag(),
		wholeFlag("batch", "samples given to the engines at once", "64", 1),
		realFlag("max-difference", "exit with 12 where outputs differ by more than `D` of the largest", "", notBelow0),
		realFlag("min-agreement", "exit with 12 where less than this `PART` of the predictions agree", "", share),
		own(wordFlag("match", "`HOW` inputs and outputs of the two belong together: name or position", "", equal.ByName, equal.ByPosition), "by name where the names are the same, else by position"),
		&cli.BoolFlag{Name: "certify", Usage: "prove how far the outputs can differ over all valid inputs: not at all, or by how much at most"},
		boxFlag("valid inputs for --certify"),
		methodFlag("domain for --certify", verify.DeepPoly),
		resumeFlag(), recordsFlag(), shardFlag(),
		semanticsFlag("for --certify, real: over real numbers; float32: for every float32 execution", verify.Real),
		realFlag("max-delta", "exit with 12 where --certify does not prove that outputs differ by at most `D`; where --method cannot, by the complete search", "", notBelow0),
		&cli.GenericFlag{Name: "search-time", Usage: "time for the search that --max-delta may need, such as 30s; 0 means none", Value: &wait{"30s"}, DefaultText: "30s"},
		jsonOption())
	return &cli.Command{
		Name:        "compare",
		Usage:       "run two models on the same inputs: how far do their outputs and predictions differ",
		ArgsUsage:   "A B",
		Description: "Example: shoal compare big.onnx small.onnx --data fmnist:DIR --range 0:1000",
		Flags:       flags,
		Action:      question(compareAction),
	}
}

// openFeed gives inputs for an arranged model: of a data set, or random ones.
func openFeed(c *cli.Context, in *trial.Inputs, set *dataset.Set, ports []engine.Port, fixed int) (*trial.Feed, *samples, error) {
	if set == nil {
		rng := newRandom()
		return &trial.Feed{Len: c.Int("samples"), Next: func(_, n int) ([]*onnxio.Tensor, int, error) {
			padded := (n + fixed - 1) / fixed * fixed
			x, err := randomFrom(rng, batched(ports, padded), padded)
			return x, padded, err
		}}, nil, nil
	}
	asked, err := in.AskedPort(ports)
	if err != nil {
		return nil, nil, asUsage(err)
	}
	shape := slices.Clone(asked.Shape)
	if len(shape) == 0 {
		return nil, nil, usageError("leave --data out to compare on random inputs", "--data goes with inputs that have an axis of samples; %s is one number", in.Asked())
	}
	shape[0] = 1
	s, err := joined(c, set, shape)
	if err != nil {
		return nil, nil, err
	}
	return in.Feed(s.Samples, ports, fixed), s, nil
}

// batched are ports whose fixed batches, all of the same size, are another multiple of it.
func batched(ports []engine.Port, n int) []engine.Port {
	out := slices.Clone(ports)
	for i, p := range out {
		if len(p.Shape) == 0 || len(ports[0].Shape) == 0 || p.Shape[0] != ports[0].Shape[0] {
			return ports
		}
		out[i].Shape = slices.Clone(p.Shape)
		out[i].Shape[0] = n
	}
	return out
}

func compareAction(c *cli.Context) error {
	shard, err := shardOf(c.String("shard"), os.Getenv)
	if err != nil {
		return err
	}
	sizes, err := parseDims(c.StringSlice("dim"))
	if err != nil {
		return err
	}
	var models [2]*onnxio.Model
	var sessions [2]engine.Session
	for i := range models {
		if models[i], err = onnxio.LoadContext(c.Context, c.Args().Get(i)); err != nil {
			return err
		}
		if models[i], err = unmapped(c.Context, models[i]); err != nil {
			return err
		}
	}
	// A name must be in one of them: the other may have the size fixed.
	if errA, errB := bindDims(models[0], sizes), bindDims(models[1], sizes); errA != nil && errB != nil {
		return errA
	}
	in, set, err := readInputs(c, models[0], false)
	if err != nil {
		return err
	}
	var matched report.Matched
	of, by, err := matchPorts(c, "input", in.Ports(), trial.PortsOf(models[1].Graph))
	if err != nil {
		return fmt.Errorf("%s: %w", models[1].Path, err)
	}
	matched.Inputs = by
	alike, err := in.Alike(c.Context, models[1], of)
	if err != nil {
		return fmt.Errorf("%s: %w", models[1].Path, asUsage(err))
	}
	files := models
	for i, inputs := range []*trial.Inputs{in, alike} {
		if models[i], err = arranged(c, inputs, trial.Fed, 0); err != nil {
			return fmt.Errorf("%s: %w", files[i].Path, err)
		}
	}
	said := map[string]bool{}
	for i := range models {
		o := engineOptions(c)
		notice := o.Notice
		o.Notice = func(s string) { // once, where both models get the same engine for the same reason
			if !said[s] {
				notice(s)
			}
			said[s] = true
		}
		if b := c.String("engine-b"); i == 1 && b != "" {
			o.Engine = b
		}
		if sessions[i], err = engine.Open(c.Context, models[i], o); err != nil {
			return fmt.Errorf("%s: %w", models[i].Path, err)
		}
		defer sessions[i].Close()
	}
	r := &report.Result{Question: report.Compare, Model: modelDoc{Path: models[0].Path, SHA256: models[0].SHA256, Dims: sizes},
		Other: &modelDoc{Path: models[1].Path, SHA256: models[1].SHA256, Dims: sizes}}
	q := &trial.Compare{Alone: func(side *trial.Side) { foreign.Fprintf(c.App.ErrWriter, "%s: %s\n", side.Path, side.Runs.Words()) },
		Undecided: trial.UndecidedBy(models[:]...)}
	if q.Subject, err = subjectOf(c, models[0]); err != nil {
		if c.Context.Err() != nil || c.IsSet("output") || c.IsSet("decision") || c.IsSet("min-agreement") {
			return err
		}
		q.Subject = nil // outputs are compared whatever they mean
	} else {
		if err := q.Subject.Take(in); err != nil {
			return asUsage(err)
		}
		r.Subject = q.Subject.Describe(nil)
	}
	q.Inputs = in.Along(sessions[0].Inputs(), alike, sessions[1].Inputs(), of)
	if q.Outputs, matched.Outputs, err = matchPorts(c, "output", sessions[0].Outputs(), sessions[1].Outputs()); err != nil {
		return fmt.Errorf("%s: %w", models[1].Path, err)
	}
	if q.Subject != nil {
		if err := q.Subject.CheckNames(); err != nil {
			return fmt.Errorf("%s: %w", c.String("labels"), err)
		}
	}
	fixed := trial.FixedBatch(firstShape(sessions[0]), firstShape(sessions[1]))
	q.By = matched.Outputs
	for i, m := range models {
		q.Models[i] = trial.Side{Path: m.Path, Runs: &trial.Batches{Session: sessions[i], Fixed: trial.FixedBatch(firstShape(sessions[i]))}}
	}
	var s *samples
	if q.Feed, s, err = openFeed(c, in, set, sessions[0].Inputs(), fixed); err != nil {
		return err
	}
	q.Batch = max(1, togetherOf(c, shard, q.Feed.Len, trial.CompareKey)/fixed) * fixed
	engines := [2]string{sessions[0].Engine(), sessions[1].Engine()}
	index := q.Feed.Index
	for i := 0; q.Feed.Index == nil && i < q.Feed.Len; i++ {
		index = append(index, i)
	}
	parts, err := wholeOf(c, index, q.Batch, trial.CompareKey)
	if err != nil {
		return err
	}
	if q.Records, err = compareRecords(c, r, q, s, engines, parts); err != nil {
		return err
	}
	defer q.Records.Close()
	r.Interrupted, err = runCompare(c, q, shard, r)
	if err == nil && shard.N > 0 {
		return saidPart(c, shard, q.Records, parts, r.Interrupted)
	}
	if err == nil {
		r.Agreement = q.Sum(r.Rows)
		r.Agreement.Engines, r.Agreement.Matched = engines, matched
		if c.Bool("certify") && !r.Interrupted {
			r.Agreement.Certificate, err = certifyEqual(c, in, models)
		}
	}
	if r.Interrupted = r.Interrupted || c.Context.Err() != nil; err != nil && (!r.Interrupted || r.Agreement == nil) {
		return err
	}
	if q.Subject != nil {
		r.Subject = q.Subject.Describe(nil)
	}
	r.SamplesDepend, r.Checks = q.SamplesDepend(), comparedChecks(c, q, r.Agreement)
	if jsonMode(c) != "" {
		err = printJSON(c.App.Writer, r.Summary())
	} else {
		_, err = foreign.Fprintf(c.App.Writer, "%s", r.Words())
	}
	if err != nil {
		return err
	}
	if r.Interrupted {
		return errCutShort()
	}
	if err := missed(r); err != nil {
		return err
	}
	if c.IsSet("min-agreement") && !q.Decides() {
		why := "one output names no class"
		if r.Agreement.Numbers {
			why = "numbers agree within a --tolerance, which is not given"
		}
		return &codeError{code: exitUnsupported, err: fmt.Errorf("--min-agreement is about predictions, and %s", why)}
	}
	return nil
}

// runCompare compares the samples of a shard.
func runCompare(c *cli.Context, q *trial.Compare, part trial.Shard, r *report.Result) (bool, error) {
	from, to := part.Blocks(q.Feed.Len, q.Batch)
	bar := newProgress(c.App.ErrWriter, to-from, "comparing")
	defer bar.finish()
	cut, err := q.Run(c.Context, part, func(rows []report.Row) error {
		r.Rows = append(r.Rows, rows...)
		for range rows {
			bar.add()
		}
		return nil
	})
	return cut, asUsage(err)
}

// compareRecords opens --resume or --records.
func compareRecords(c *cli.Context, r *report.Result, q *trial.Compare, s *samples, engines [2]string, parts []record.Part) (*record.File, error) {
	settings := map[string]any{"engines": engines, "dims": r.Model.Dims, "batch": q.Batch, "match": c.String("match"), "inputs": q.Inputs,
		"outputs": q.Outputs}
	p := record.Plan{Question: string(r.Question), Model: r.Model.SHA256 + " " + r.Other.SHA256, Subject: r.Subject, Settings: settings,
		Version: version()}
	if s == nil {
		settings["samples"] = q.Feed.Len
	} else {
		p.Data = s.set.SHA256
		// which go together decides the last digits
		settings["split"], settings["mean"], settings["std"], settings["range"] = c.String("split"), s.Mean, s.Std, c.String("range")
	}
	return openPlan(c, p, parts)
}

// comparedChecks are those of the thresholds.
func comparedChecks(c *cli.Context, q *trial.Compare, s *report.AgreementSum) (out []report.Check) {
	if limit := given(c, "max-delta"); limit != nil && s.Certificate != nil {
		out = append(out, report.AtMost("proven_difference", s.Certificate.Delta, *limit, "outputs are proven to differ by at most %.3g; --max-delta is %.3g", float64(s.Certificate.Delta), *limit))
	}
	if limit := given(c, "max-difference"); limit != nil {
		out = append(out, report.AtMost("relative_difference", s.Relative, *limit, "outputs differ by %.2e of the largest; --max-difference is %.2e", float64(s.Relative), *limit))
	}
	if least := given(c, "min-agreement"); least != nil && q.Decides() {
		out = append(out, report.AtLeast("agreement", s.Agreement, *least, "%s %% of the predictions agree; --min-agreement is %s %%",
			report.Percent(s.Agreement, 2), report.Percent(*least, 2)))
	}
	return out
}

// firstShape is the shape of a session's first input.
func firstShape(s engine.Session) []int {
	if in := s.Inputs(); len(in) > 0 {
		return in[0].Shape
	}
	return nil
}

// unmapped is a model that gives tables of scores where the file gives lists of maps, without its outputs of words: how far these are apart no number
// says, and the scores that they stand for are there.
func unmapped(ctx context.Context, m *onnxio.Model) (*onnxio.Model, error) {
	g := unworded(infer.Unmapped(m.Graph))
	if g == m.Graph {
		return m, nil
	}
	ready, err := infer.Prepare(ctx, g, infer.Options{})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.Path, err)
	}
	for i, v := range g.Outputs {
		if v.DType == onnxio.Undefined {
			v.DType = ready.Outputs[i].DType
		}
		if shape := ready.Outputs[i].Shape; !v.HasShape && len(shape) > 0 { // rows of samples
			v.HasShape, v.Dims = true, []onnxio.Dim{{Size: -1}}
			for _, d := range shape[1:] {
				v.Dims = append(v.Dims, onnxio.Dim{Size: d})
			}
		}
	}
	out, err := onnxio.NewModel(g, "shoal")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.Path, err)
	}
	out.Path, out.SHA256 = m.Path, m.SHA256
	return out, nil
}

// unworded is a graph without its outputs of words, where it has others; a graph without such outputs is given back as it is.
func unworded(g *onnxio.Graph) *onnxio.Graph {
	word := func(v *onnxio.Value) bool { return v.DType == onnxio.String }
	if g.Check() != nil || !slices.ContainsFunc(g.Outputs, word) || !slices.ContainsFunc(g.Outputs, func(v *onnxio.Value) bool { return !word(v) }) {
		return g
	}
	g = g.Clone()
	g.Outputs = slices.DeleteFunc(g.Outputs, word)
	return infer.Live(g)
}

// matchPorts says which port of B is each one of A.
func matchPorts(c *cli.Context, what string, a, b []engine.Port) (of []int, by string, err error) {
	var names [2][]string
	for k, ports := range [][]engine.Port{a, b} {
		for _, p := range ports {
			names[k] = append(names[k], p.Name)
		}
	}
	m, err := equal.Match(what, names[0], names[1], c.String("match"))
	var ambiguous *equal.AmbiguousError
	if errors.As(err, &ambiguous) {
		return nil, "", usageError("--match position takes them in the order of the files; shoal inspect shows it", "%v", err)
	}
	if err != nil {
		return nil, "", err
	}
	for i, k := range m.Of {
		if x, y := a[i], b[k]; x.DType.Computed() != y.DType.Computed() && what == "input" ||
			x.Shape != nil && y.Shape != nil && len(x.Shape) != len(y.Shape) {
			return nil, "", fmt.Errorf("%ss matched by %s differ: %q of A is %v of shape %v, %q of B is %v of shape %v", what, m.By, x.Name, x.DType, x.Shape, y.Name, y.DType, y.Shape)
		}
	}
	return m.Of, m.By, nil
}

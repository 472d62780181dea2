package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/input"
	"github.com/shallow-waters/shoal/internal/numeral"
	"github.com/shallow-waters/shoal/internal/output"
	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/onnxio/infer"
	"github.com/shallow-waters/shoal/prune"
	"github.com/shallow-waters/shoal/prune/equal"
	"github.com/shallow-waters/shoal/verify"
)

func pruneCommand() *cli.Command {
	flags := append(outputFlags(),
		wordFlag("score", "what a filter is worth: l1, l2, random, bn-scale, activation (on --data), or proven-dead: remove what is proven never to fire", "l1", scores()...),
		realFlag("ratio", "`PART` of every layer's channels to remove, at least 0 and below 1", "", shareBelow),
		&cli.StringSliceFlag{Name: "layer-ratio", Usage: "`LAYER=PART` gives a layer a ratio of its own; may be repeated, * stands for any text, the first that fits counts"},
		&cli.BoolFlag{Name: "global", Usage: "rank the channels of all layers together, each score over its layer's mean"},
		&cli.StringSliceFlag{Name: "threshold", Usage: "`LAYER=X` removes that layer's channels with a score of at most X; may be repeated, * stands for any text"},
		wholeFlag("max-params", "look for the least ratio with at most `N` parameters", "", 1),
		wholeFlag("max-macs", "look for the least ratio with at most `N` multiply-adds a sample", "", 1),
		wholeFlag("keep", "leave at least `N` channels of every layer", "1", 1),
		wholeFlag("round-to", "leave a multiple of `N` channels", "1", 1),
		&cli.StringSliceFlag{Name: "exclude", Usage: "leave a `LAYER` as it is; may be repeated, * stands for any text"},
		&cli.Uint64Flag{Name: "seed", Usage: "of --score random"},
		&cli.BoolFlag{Name: "absorb-bias", Usage: "fold the constant that a removed channel's bias still sends on into the next layer; keep the channel where that is not exact"},
		boxFlag("valid inputs of the model for proven-dead"),
		methodFlag("domain for proven-dead", verify.Interval),
		semanticsFlag("for proven-dead, real: over real numbers; float32: for every float32 execution", verify.Float32),
		&cli.BoolFlag{Name: "dry-run", Usage: "print the plan and write nothing"},
		&cli.StringFlag{Name: "plan", Usage: "write the plan to this `FILE`, or carry out the plan in it where it exists"},
		plotFlag("draw every layer's scores with the cut"),
		&cli.BoolFlag{Name: "time", Usage: "measure layers and whole models, before and after, on --engine"},
		dimFlag(), holdFlag(), batchAxisFlag())
	flags = append(flags, engineFlags()...)
	flags = append(append(flags, dataFlags()...), jsonOption())
	return &cli.Command{
		Name:      "prune",
		Usage:     "remove channels from the file, with all that is coupled to them",
		ArgsUsage: "MODEL",
		Description: "The smaller model is compared with the old one, in which what was removed is set to zero, before it is written.\n" +
			"Example: shoal prune model.onnx --ratio 0.5 -o small.onnx\n" +
			"Example: shoal prune model.onnx --score proven-dead --box 0:1 --in-place",
		Flags:  flags,
		Action: pruneAction,
	}
}

func scores() []string {
	var out []string
	for _, s := range prune.Scores() {
		out = append(out, string(s))
	}
	return out
}

// pruneOptions reads the flags.
func pruneOptions(c *cli.Context) (prune.Options, error) {
	o := prune.Options{AbsorbBias: c.Bool("absorb-bias"), Choice: prune.Choice{Score: prune.Score(c.String("score")), Seed: c.Uint64("seed"),
		Ratio:  c.Float64("ratio"),
		Global: c.Bool("global"), Exclude: c.StringSlice("exclude"), Keep: c.Int("keep"), RoundTo: c.Int("round-to"),
		MaxParameters: c.Int("max-params"), MaxMACs: c.Int("max-macs")}}
	for name, list := range map[string]*[]prune.Threshold{"threshold": &o.Thresholds, "layer-ratio": &o.Ratios} {
		for _, s := range c.StringSlice(name) {
			at := strings.LastIndexByte(s, '=')
			x, err := numeral.Float(s[at+1:])
			if at < 1 || err != nil {
				return o, usageError(fmt.Sprintf("for example --%s conv1=0.5", name), "--%s %q is not LAYER=NUMBER", name, s)
			}
			*list = append(*list, prune.Threshold{Layer: s[:at], Value: x})
		}
	}
	if err := o.Validate(); err != nil {
		return o, usageError("shoal help prune", "%s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	if !o.Budgeted() && !c.IsSet("ratio") && len(o.Thresholds)+len(o.Ratios) == 0 && o.Score != prune.ProvenDead {
		return o, usageError("--ratio 0.5, --threshold LAYER=X, --max-params N, --max-macs N or --score proven-dead", "nothing says how much to remove")
	}
	var err error
	if o.Dims, err = parseDims(c.StringSlice("dim")); err != nil {
		return o, err
	}
	return o, nil
}

// pruneGC is the share of garbage that the heap may hold while pruning, in percent: what is there are a few large arrays, quickly gone
// through, and two of a model's size make the difference between fitting and not.
const pruneGC = 10

func pruneAction(c *cli.Context) error {
	defer debug.SetGCPercent(debug.SetGCPercent(pruneGC))
	stored, err := storedPlan(c)
	if err != nil {
		return err
	}
	var o prune.Options
	var box equal.Ranges
	if stored == nil {
		if o, err = pruneOptions(c); err != nil {
			return err
		}
		if box, err = validInputs(c, o.Score); err != nil {
			return err
		}
		o.Bounds = equal.Bounds(box, verify.Options{Method: verify.Method(c.String("method")), Semantics: verify.Semantics(c.String("semantics"))})
	} else {
		o.Dims, err = parseDims(c.StringSlice("dim"))
	}
	if err != nil {
		return err
	}
	m, err := onnxio.LoadContext(c.Context, c.Args().First())
	if err != nil {
		return err
	}
	file := m.Graph
	m.Graph = infer.Unmapped(file)
	path := ""
	if !c.Bool("dry-run") {
		path = outputPath(c, m)
	}
	var subject *trial.Description
	if o.Score == prune.Activation {
		if o.Samples, o.Whole, subject, err = pruneSamples(c, m, o.Dims); err != nil {
			return err
		}
	}
	var r *prune.Result
	if stored != nil {
		if stored.Model != "" && stored.Model != m.SHA256 {
			return fmt.Errorf("plan %s was made for another file (sha256 %s, this is %s)", c.String("plan"), stored.Model, m.SHA256)
		}
		r, err = prune.Replay(c.Context, m.Graph, stored, o.Dims)
	} else {
		done := busy(c.App.ErrWriter, "choosing channels")
		r, err = prune.Run(c.Context, m.Graph, o)
		done()
	}
	if err != nil {
		return err
	}
	r.Plan.Model = m.SHA256
	return finishPrune(c, m, file, r, path, stored == nil, box, subject)
}

// finishPrune checks, measures, writes and prints. file is the graph as the file has it.
func finishPrune(c *cli.Context, m *onnxio.Model, file *onnxio.Graph, r *prune.Result, path string, fresh bool, box equal.Ranges,
	subject *trial.Description) error {
	sum, nodes, err := trial.Pruned(m.Graph, r)
	if err != nil {
		return err
	}
	doc := &report.Result{Question: report.Prune, Model: modelOf(c, m), Pruned: sum}
	if subject != nil {
		doc.Subject = subject
	}
	if r.Plan.Choice.Score == prune.ProvenDead {
		sum.Box = box
	}
	zeroed, small := r.Coupling.Sized(r.Zeroed), r.Coupling.Sized(r.Graph)
	diff, err := graphDifference(c.Context, zeroed, small)
	if err == nil && !(diff <= maxPruneDifference) { // some networks make much of a rounding: float64 tells
		diff, err = graphDifferenceIn(c.Context, zeroed, small, engine.Options{Float64: true})
	}
	zeroed, small = nil, nil // models are large: nothing is held longer than it is needed
	r.Zeroed = nil
	if err != nil {
		return fmt.Errorf("comparing the pruned model: %w", err)
	}
	if !(diff <= maxPruneDifference) {
		return fmt.Errorf("the pruned model's outputs differ by %.1e from those of the old one with the channels at zero; nothing was written. This is a fault of shoal: please report it", diff)
	}
	sum.Difference = (*number)(&diff)
	if c.Bool("time") {
		if err := measure(c, m.Graph, r, sum, nodes); err != nil {
			return err
		}
	}
	if file := c.String("plot"); file != "" {
		gone, all := 0, 0
		for _, cl := range r.Plan.Classes {
			gone, all = gone+cl.Removed, all+cl.Units
		}
		if err := plotScores(file, fmt.Sprintf("%s: %s of %s channels go", filepath.Base(c.Args().First()), report.Grouped(gone),
			report.Grouped(all)), r.Plan); err != nil {
			return err
		}
	}
	if file := c.String("plan"); file != "" && fresh {
		if err := writeJSON(file, r.Plan); err != nil {
			return err
		}
	}
	if path != "" {
		m.Graph, r.Coupling = infer.Remapped(file, r.Graph), nil
		clear(nodes)
		debug.FreeOSMemory() // the old weights, before the file is read again
		if err := m.Save(path, onnxio.SaveOptions{External: c.Bool("external")}); err != nil {
			return err
		}
		now, err := onnxio.LoadContext(c.Context, path)
		if err != nil {
			return fmt.Errorf("reading the new file again: %w", err)
		}
		sum.Output = &modelDoc{Path: path, SHA256: now.SHA256}
	}
	return printPruned(c, doc)
}

// maxPruneDifference is the largest difference, relative to the largest output, that is put down to sums in another order.
const maxPruneDifference = 1e-5

// storedPlan reads --plan where the file exists.
func storedPlan(c *cli.Context) (*prune.Plan, error) {
	file := c.String("plan")
	if file == "" {
		return nil, nil
	}
	b, err := input.ReadFile(c.Context, file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	p := &prune.Plan{}
	if err := json.Unmarshal(b, p); err != nil {
		return nil, fmt.Errorf("plan %s: %w", file, err)
	}
	for _, name := range []string{"score", "ratio", "global", "threshold", "layer-ratio", "max-params", "max-macs", "keep", "round-to",
		"exclude", "seed", "absorb-bias"} {
		if c.IsSet(name) {
			return nil, usageError("name another file to make a new plan", "plan %s exists and will be carried out; --%s would change it", file, name)
		}
	}
	return p, nil
}

func writeJSON(file string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return output.Write(file, append(foreign.JSON(b), '\n'))
}

// pruneSamples gives --data to the score of activations. What is asked of the model is told as far as its file says it: activations are of every
// output.
func pruneSamples(c *cli.Context, m *onnxio.Model, sizes map[string]int) (data prune.Samples, alone bool, about *trial.Description, err error) {
	inputs, set, err := readInputs(c, m, false)
	if err != nil {
		return nil, false, nil, err
	}
	ports, turned, err := inputs.AsFile(sizes)
	if err != nil {
		return nil, false, nil, asUsage(err)
	}
	in, s, err := openFeed(c, inputs, set, ports, 1) // nothing is filled up: every sample counts
	if err != nil {
		return nil, false, nil, err
	}
	var subject *trial.Description
	if sub, err := subjectBy(c, m, "", ""); err == nil {
		if err := sub.Take(inputs); err != nil {
			return nil, false, nil, asUsage(err)
		}
		saySubject(c, sub)
		told := sub.Describe(s.Samples)
		subject = &told
	}
	batch := 64
	if p := ports[0].Shape; turned != nil {
		in, batch = turned(in), 1
	} else if p[0] > 1 {
		batch = p[0]
	}
	var bar *progress
	give := in.Activations(0, batch, func(n int) {
		for range n {
			bar.add()
		}
	})
	return func(ctx context.Context, f func([]*onnxio.Tensor) error) error {
		bar = newProgress(c.App.ErrWriter, in.Len, "activations")
		defer bar.finish()
		return give(ctx, f)
	}, turned != nil, subject, nil
}

package main

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/prune/equal"
	"github.com/shallow-waters/shoal/verify"
)

func compareCommand() *cli.Command {
	flags := append(append(append(dataFlags(), engineFlags()...), subjectFlags()...), dimFlag(),
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
		semanticsFlag("for --certify, real: over real numbers; float32: for every float32 execution", verify.Real),
		realFlag("max-delta", "exit with 12 where --certify does not prove that outputs differ by at most `D`", "", notBelow0),
		jsonOption())
	return &cli.Command{
		Name:        "compare",
		Usage:       "run two models on the same inputs: how far do their outputs and predictions differ",
		ArgsUsage:   "A B",
		Description: "Example: shoal compare big.onnx small.onnx --data fmnist:DIR --range 0:1000",
		Flags:       flags,
		Action:      compareAction,
	}
}

type compareDoc struct {
	A         modelDoc  `json:"a"`
	B         modelDoc  `json:"b"`
	EngineA   string    `json:"engine_a"`
	EngineB   string    `json:"engine_b"`
	Samples   int       `json:"samples"`
	Max       number    `json:"max_difference"` // this and the next three are null as long as nothing is compared
	Mean      number    `json:"mean_difference"`
	Relative  number    `json:"max_relative"`
	Agreement number    `json:"agreement"`
	Differing []differs `json:"differing"`
	sub       *trial.Subject
	Matched   matched `json:"matched_by"`
	// Subject is what predictions are read from, as A has it; null where nobody has said which output that is.
	Subject *trial.Description `json:"subject"`
	Depend  bool               `json:"samples_depend"` // of A or B: a sample has other outputs in company than alone; each was run alone

	Interrupted bool `json:"interrupted"`

	Certificate *certificateDoc `json:"certificate,omitempty"`
}

// matched tells how the inputs and outputs of the two models belong together: name or position.
type matched struct {
	Inputs  string `json:"inputs"`
	Outputs string `json:"outputs"`
}

type differs struct {
	Index int `json:"index"`
	A     int `json:"a"`
	B     int `json:"b"`
}

// batches gives inputs for a model, a batch at a time: of a data set, or random ones. Where the file fixes the batch, a part of one is filled
// up; padded is how many samples there are then.
type batches struct {
	n    int
	next func(from, n int) (x []*onnxio.Tensor, padded int, err error)
}

// fixedBatch is the batch that files fix, so that the sessions take its multiples; 1 where they leave it free.
func fixedBatch(sessions ...engine.Session) int {
	fixed := 1
	for _, s := range sessions {
		if in := s.Inputs(); len(in) > 0 && len(in[0].Shape) > 0 && in[0].Shape[0] > 1 {
			a, b := fixed, in[0].Shape[0]
			for b != 0 {
				a, b = b, a%b
			}
			fixed *= in[0].Shape[0] / a
		}
	}
	return fixed
}

func openBatches(c *cli.Context, ports []engine.Port, fixed int) (*batches, error) {
	if c.String("data") == "" {
		rng := newRandom()
		return &batches{c.Int("samples"), func(_, n int) ([]*onnxio.Tensor, int, error) {
			padded := (n + fixed - 1) / fixed * fixed
			x, err := randomFrom(rng, batched(ports, padded), padded)
			return x, padded, err
		}}, nil
	}
	if len(ports) != 1 || len(ports[0].Shape) == 0 {
		return nil, usageError("leave --data out to compare on random inputs", "--data goes with models of one input; this one has %d", len(ports))
	}
	shape := slices.Clone(ports[0].Shape)
	shape[0] = 1
	s, err := openSamples(c, shape)
	if err != nil {
		return nil, err
	}
	return &batches{s.set.Len(), func(from, n int) ([]*onnxio.Tensor, int, error) {
		x, padded, err := s.filled(ports[0], shape, from, n, fixed)
		return []*onnxio.Tensor{x}, padded, err
	}}, nil
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
	}
	// A name must be in one of them: the other may have the size fixed.
	if errA, errB := bindDims(models[0], sizes), bindDims(models[1], sizes); errA != nil && errB != nil {
		return errA
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
	d := compareDoc{A: modelDoc{Path: models[0].Path, SHA256: models[0].SHA256, Dims: sizes}, B: modelDoc{Path: models[1].Path, SHA256: models[1].SHA256, Dims: sizes},
		EngineA: sessions[0].Engine(), EngineB: sessions[1].Engine(), Differing: []differs{}}
	if d.sub, err = subjectOf(c, models[0]); err != nil {
		if c.Context.Err() != nil || c.IsSet("output") || c.IsSet("decision") || c.IsSet("min-agreement") {
			return err
		}
		d.sub = nil // outputs are compared whatever they mean
	} else {
		text := d.sub.Describe(nil)
		d.Subject = &text
	}
	inputs, by, err := matchPorts(c, "input", sessions[0].Inputs(), sessions[1].Inputs())
	if err != nil {
		return fmt.Errorf("%s: %w", models[1].Path, err)
	}
	d.Matched.Inputs = by
	outputs, by, err := matchPorts(c, "output", sessions[0].Outputs(), sessions[1].Outputs())
	if err != nil {
		return fmt.Errorf("%s: %w", models[1].Path, err)
	}
	d.Matched.Outputs = by
	in, err := openBatches(c, sessions[0].Inputs(), fixedBatch(sessions[:]...))
	if err != nil {
		return err
	}
	err = d.run(c, models, sessions, in, inputs, outputs)
	if err == nil && c.Bool("certify") {
		d.Certificate, err = certifyEqual(c, models)
	}
	if d.Interrupted = c.Context.Err() != nil; err != nil && !d.Interrupted {
		return err
	}
	if jsonMode(c) != "" {
		err = printJSON(c.App.Writer, d)
	} else {
		err = d.print(c)
	}
	if err != nil {
		return err
	}
	if d.Interrupted {
		return errCutShort()
	}
	if limit := given(c, "max-delta"); limit != nil && d.Certificate != nil && !(float64(d.Certificate.Delta) <= *limit) {
		return &codeError{code: exitThreshold, err: fmt.Errorf("outputs are proven to differ by at most %.3g; --max-delta is %.3g", float64(d.Certificate.Delta), *limit)}
	}
	if limit := given(c, "max-difference"); limit != nil && !(float64(d.Relative) <= *limit) {
		return &codeError{code: exitThreshold, err: fmt.Errorf("outputs differ by %.2e of the largest; --max-difference is %.2e", float64(d.Relative), *limit)}
	}
	least := given(c, "min-agreement")
	if least != nil && !d.decides() {
		return &codeError{code: exitUnsupported, err: errors.New("--min-agreement is about predictions, and one output names no class")}
	}
	if least != nil && float64(d.Agreement) < *least {
		return &codeError{code: exitThreshold, err: fmt.Errorf("%.2f %% of the predictions agree; --min-agreement is %.2f %%", 100*float64(d.Agreement), 100**least)}
	}
	return nil
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
		if x, y := a[i], b[k]; x.DType != y.DType && what == "input" || len(x.Shape) != len(y.Shape) {
			return nil, "", fmt.Errorf("%ss matched by %s differ: %q of A is %v of shape %v, %q of B is %v of shape %v", what, m.By, x.Name, x.DType, x.Shape, y.Name, y.DType, y.Shape)
		}
	}
	return m.Of, m.By, nil
}

func (d *compareDoc) run(c *cli.Context, models [2]*onnxio.Model, s [2]engine.Session, in *batches, inputs, outputs []int) error {
	fixed := fixedBatch(s[:]...)
	batch := max(1, c.Int("batch")/fixed) * fixed
	runs := [2]*trial.Batches{batchesOf(c, models[0], s[0], fixedBatch(s[0])), batchesOf(c, models[1], s[1], fixedBatch(s[1]))}
	bar := newProgress(c.App.ErrWriter, in.n, "comparing")
	defer bar.finish()
	sum, elements, largest := 0.0, 0, 0.0
	defer func() { // also of a part
		if d.Samples == 0 {
			d.Max, d.Mean, d.Relative, d.Agreement = number(math.NaN()), number(math.NaN()), number(math.NaN()), number(math.NaN())
			return
		}
		d.Mean = number(sum / float64(max(1, elements)))
		d.Relative = d.Max / number(max(largest, 1e-30))
		d.Agreement = 1 - number(len(d.Differing))/number(d.Samples)
		if !d.decides() { // no class is predicted
			d.Agreement = number(math.NaN())
		}
	}()
	for from := 0; from < in.n; from += batch {
		n := min(batch, in.n-from)
		x, padded, err := in.next(from, n)
		if err != nil {
			return err
		}
		var out [2][][]trial.Row
		for i := range s {
			given := x
			if i == 1 {
				given = make([]*onnxio.Tensor, len(x))
				for k, at := range inputs {
					given[at] = x[k]
				}
			}
			alone := runs[i].Alone
			if out[i], err = runs[i].Run(c.Context, given, n, padded); err != nil {
				return fmt.Errorf("%s: %w", models[i].Path, err)
			}
			if runs[i].Alone && !alone {
				foreign.Fprintf(c.App.ErrWriter, "%s: %s\n", models[i].Path, runs[i].Words())
			}
			d.Depend = d.Depend || runs[i].Depend
		}
		for k, at := range outputs {
			a, b := slices.Concat(out[0][k]...), slices.Concat(out[1][at]...)
			if len(a) != len(b) {
				return fmt.Errorf("outputs matched by %s differ: a sample has %d numbers in %q of A, %d in %q of B", d.Matched.Outputs, len(a)/n, s[0].Outputs()[k].Name, len(b)/n, s[1].Outputs()[at].Name)
			}
			for i := range a {
				diff := math.Abs(a[i] - b[i])
				if a[i] == b[i] || math.IsNaN(a[i]) && math.IsNaN(b[i]) {
					diff = 0
				} else if math.IsNaN(diff) {
					diff = math.Inf(1)
				}
				sum += diff
				d.Max = max(d.Max, number(diff))
				if !math.IsInf(a[i], 0) && !math.IsNaN(a[i]) {
					largest = max(largest, math.Abs(a[i]))
				}
			}
			elements += len(a)
			if d.sub != nil && s[0].Outputs()[k].Name == d.sub.Output {
				if err := d.predictions(out[0][k], out[1][at], from); err != nil {
					return err
				}
			}
		}
		d.Samples += n
		for range n {
			bar.add()
		}
	}
	return nil
}

// predictions compares what the scores of each sample decide.
func (d *compareDoc) predictions(a, b []trial.Row, from int) error {
	if d.sub.Scores() == 0 && len(a) > 0 {
		if err := d.sub.Settle(len(a[0])); err != nil {
			return asUsage(err)
		}
		text := d.sub.Describe(nil)
		d.Subject = &text
	}
	if !d.decides() {
		return nil
	}
	for i := range a {
		if p, q := d.class(a[i]), d.class(b[i]); p != q {
			d.Differing = append(d.Differing, differs{from + i, p, q})
		}
	}
	return nil
}

// class is what a row decides; the row of a label is the class.
func (d *compareDoc) class(row trial.Row) int {
	if len(row) == 1 && d.sub.Decision.Kind == trial.Argmax {
		return int(row[0])
	}
	return d.sub.Decision.Class(row)
}

// decides tells whether there are predictions to compare.
func (d *compareDoc) decides() bool {
	return d.sub != nil && d.sub.Decision.Kind != trial.None && d.sub.Decision.Kind != trial.Regress
}

func (d *compareDoc) print(c *cli.Context) error {
	w := c.App.Writer
	if d.Samples == 0 {
		_, err := foreign.Fprintln(w, nothingFinished)
		return err
	}
	foreign.Fprintf(w, "A %s (%s)\nB %s (%s)\n%d samples\n", d.A.Path, d.EngineA, d.B.Path, d.EngineB, d.Samples)
	foreign.Fprintf(w, "inputs matched by %s, outputs by %s\n", d.Matched.Inputs, d.Matched.Outputs)
	foreign.Fprintf(w, "largest difference %.3e (%.1e of the largest output), mean %.3e\n", float64(d.Max), float64(d.Relative), float64(d.Mean))
	var err error
	if d.Samples > 0 && d.sub == nil {
		_, err = foreign.Fprintln(w, "no predictions to compare: nothing says which output holds the scores; --output NAME does")
	} else if d.Samples > 0 && !d.decides() {
		_, err = foreign.Fprintln(w, "no predictions to compare: one output names no class")
	} else {
		_, err = foreign.Fprintf(w, "predictions agree on %.2f %%\n", 100*float64(d.Agreement))
	}
	const shown = 20
	for i, x := range d.Differing {
		if i == shown {
			_, err = foreign.Fprintf(w, "and %d more; --json has all\n", len(d.Differing)-shown)
			break
		}
		_, err = foreign.Fprintf(w, "  sample %d: A says %d, B %d\n", x.Index, x.A, x.B)
	}
	if d.Certificate != nil {
		d.Certificate.print(w)
	}
	return err
}

package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/onnxio/infer"
)

func simplifyCommand() *cli.Command {
	return &cli.Command{
		Name:      "simplify",
		Usage:     "fold what is constant and take out what does nothing; the rest of the file stays as it is",
		ArgsUsage: "MODEL",
		Description: "A free batch stays free, unless --dim gives it a size. The new model is run beside the old one on random inputs before it is written.\n" +
			"Example: shoal simplify model.onnx --dim height=224 --dim width=224 -o small.onnx",
		Flags:  append(outputFlags(), dimFlag(), jsonOption()),
		Action: simplifyAction,
	}
}

func outputFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "`FILE` to write"},
		&cli.BoolFlag{Name: "in-place", Usage: "replace MODEL, in one step"},
		&cli.BoolFlag{Name: "external", Usage: "write large weights into a file beside the model"},
	}
}

// outputPath is where a command writes its model: exactly one of --output and --in-place is given.
func outputPath(c *cli.Context, m *onnxio.Model) string {
	if c.Bool("in-place") {
		return m.Path
	}
	return c.String("output")
}

type changeDoc struct {
	Model  modelDoc `json:"model"`
	Output modelDoc `json:"output"`
	Nodes  [2]int   `json:"nodes"` // before, after
	Bytes  [2]int   `json:"bytes"`
	// Difference is the largest of an output on random inputs, relative to the largest output; null where the models were not run.
	Difference *number `json:"difference"`
}

func simplifyAction(c *cli.Context) error {
	m, err := modelArg(c)
	if err != nil {
		return err
	}
	path := outputPath(c, m)
	before := m.Graph
	after, err := infer.Simplify(c.Context, before, infer.Options{})
	if err != nil {
		return err
	}
	diff, err := graphDifference(c.Context, infer.Unmapped(before), infer.Unmapped(after))
	if err != nil {
		return fmt.Errorf("comparing the simplified model: %w", err)
	}
	if !(diff <= 1e-4) {
		return fmt.Errorf("the simplified model's outputs differ by %.1e; nothing was written", diff)
	}
	d := changeDoc{Model: modelOf(c, m), Nodes: [2]int{len(before.Nodes), len(after.Nodes)}, Difference: (*number)(&diff)}
	m.Graph = after
	return writeChanged(c, m, path, &d)
}

// writeChanged saves the model and prints what happened.
func writeChanged(c *cli.Context, m *onnxio.Model, path string, d *changeDoc) error {
	old, err := m.Bytes()
	if err != nil {
		return err
	}
	d.Bytes[0] = len(old)
	if err := m.Save(path, onnxio.SaveOptions{External: c.Bool("external")}); err != nil {
		return err
	}
	now, err := onnxio.LoadContext(c.Context, path)
	if err != nil {
		return fmt.Errorf("reading the new file again: %w", err)
	}
	b, err := now.Bytes()
	if err != nil {
		return err
	}
	d.Bytes[1], d.Output = len(b), modelDoc{Path: path, SHA256: now.SHA256}
	if jsonMode(c) != "" {
		return printJSON(c.App.Writer, d)
	}
	_, err = foreign.Fprintf(c.App.Writer, "%s: %d nodes and %d bytes, before %d and %d\n", path, d.Nodes[1], d.Bytes[1], d.Nodes[0], d.Bytes[0])
	if err == nil && d.Difference != nil {
		_, err = foreign.Fprintf(c.App.Writer, "largest difference on random inputs: %.1e of the largest output\n", float64(*d.Difference))
	}
	return err
}

// graphDifference runs two graphs of the same inputs on random ones, three samples, and gives the largest difference of any output relative to
// that output's largest element. One is closed before the other is opened: models are large.
func graphDifference(ctx context.Context, a, b *onnxio.Graph) (float64, error) {
	return graphDifferenceIn(ctx, a, b, engine.Options{})
}

// graphDifferenceIn runs a graph and what was made of it on the same inputs: the ports of both have the same names in the same order, or it
// is an error.
func graphDifferenceIn(ctx context.Context, a, b *onnxio.Graph, o engine.Options) (float64, error) {
	for what, ports := range map[string][2][]*onnxio.Value{"input": {a.Inputs, b.Inputs}, "output": {a.Outputs, b.Outputs}} {
		if p, q := portNames(ports[0], what == "output"), portNames(ports[1], what == "output"); !slices.Equal(p, q) {
			return 0, fmt.Errorf("%ss %v became %v", what, p, q)
		}
	}
	in, p, err := runRandom(ctx, a, nil, o)
	if err != nil {
		return 0, err
	}
	_, q, err := runRandom(ctx, b, in, o)
	if err != nil {
		return 0, err
	}
	if len(p) != len(q) {
		return 0, fmt.Errorf("%d outputs became %d", len(p), len(q))
	}
	worst := 0.0
	for k := range p {
		d, err := tensorsApart(p[k], q[k])
		if err != nil {
			return 0, fmt.Errorf("output %d: %w", k, err)
		}
		worst = max(worst, d)
	}
	return worst, nil
}

// tensorsApart is how far the second of two tensors is from the first, of whose largest element it is a part. Words are the same or infinitely apart.
func tensorsApart(a, b *onnxio.Tensor) (float64, error) {
	if v, ok := a.Data.([]string); ok {
		if w, ok := b.Data.([]string); !ok || !slices.Equal(v, w) {
			return math.Inf(1), nil
		}
		return 0, nil
	}
	x, err := a.Float64s()
	if err != nil {
		return 0, err
	}
	y, err := b.Float64s()
	if err != nil || len(x) != len(y) {
		return 0, fmt.Errorf("shape %v became %v", a.Shape, b.Shape)
	}
	return relative(x, y), nil
}

// portNames are the names of inputs, without those that have a constant, or of outputs.
func portNames(vs []*onnxio.Value, all bool) []string {
	var out []string
	for _, v := range vs {
		if all || v.Const == nil {
			out = append(out, v.Name)
		}
	}
	return out
}

// runRandom runs a graph on the given inputs, or on random ones.
func runRandom(ctx context.Context, g *onnxio.Graph, in []*onnxio.Tensor, o engine.Options) ([]*onnxio.Tensor, []*onnxio.Tensor, error) {
	o.Once, o.Threads = true, 1
	s, err := engine.OpenGraph(ctx, g, o)
	if err != nil {
		return nil, nil, err
	}
	defer s.Close()
	if in == nil {
		if in, err = randomInputs(s.Inputs(), 3); err != nil {
			return nil, nil, err
		}
	}
	out, err := s.Run(ctx, in)
	return in, out, err
}

// relative is the largest difference of two vectors over the first's largest element; +Inf where only one is NaN.
func relative(want, got []float64) float64 {
	worst, scale := 0.0, 1e-30
	for i, w := range want {
		if math.IsNaN(w) != math.IsNaN(got[i]) || math.IsInf(w, 0) && w != got[i] {
			return math.Inf(1)
		}
		if w == got[i] || math.IsNaN(w) {
			scale = max(scale, math.Abs(w))
			continue
		}
		worst, scale = max(worst, math.Abs(w-got[i])), max(scale, math.Abs(w))
	}
	if math.IsInf(scale, 0) {
		scale = 1
	}
	return worst / scale
}

// randomInputs makes samples of numbers in [0,1); integers are 0 or 1, which every index allows.
func randomInputs(ports []engine.Port, batch int) ([]*onnxio.Tensor, error) {
	return randomFrom(newRandom(), ports, batch)
}

func newRandom() *rand.Rand { return rand.New(rand.NewPCG(1, 1)) }

// randomFrom draws the next such samples.
func randomFrom(rng *rand.Rand, ports []engine.Port, batch int) ([]*onnxio.Tensor, error) {
	var out []*onnxio.Tensor
	for _, p := range ports {
		shape := append([]int{}, p.Shape...)
		if len(shape) > 0 && shape[0] < 0 {
			shape[0] = batch
		}
		for k, d := range shape {
			if d < 0 {
				return nil, fmt.Errorf("dimension %d of input %q is free; --dim gives it a size", k, p.Name)
			}
		}
		t := onnxio.NewTensor(p.DType, shape...)
		for i := range t.Len() {
			v := rng.Float64()
			switch d := t.Data.(type) {
			case []float32:
				d[i] = float32(v)
			case []float64:
				d[i] = v
			case []int64:
				d[i] = int64(2 * v)
			case []int32:
				d[i] = int32(2 * v)
			case []uint8:
				d[i] = uint8(256 * v)
			case []bool:
				d[i] = v < 0.5
			}
		}
		out = append(out, t)
	}
	return out, nil
}

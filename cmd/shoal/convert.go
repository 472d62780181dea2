package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/onnxio/infer"
	"github.com/shallow-waters/shoal/onnxio/opset"
)

func convertCommand() *cli.Command {
	return &cli.Command{
		Name:      "convert",
		Usage:     "change a file's form: the opset, half precision to float32, sizes of its inputs, weights beside it",
		ArgsUsage: "MODEL",
		Description: "What need not change stays byte for byte. A model for another opset is run beside the old one on random inputs before it is written.\n" +
			"Example: shoal convert model.onnx --opset 17 --batch 1 -o out.onnx",
		Flags: append(outputFlags(), dimFlag(),
			&cli.GenericFlag{Name: "opset", Usage: "write the model for opset `N` of the standard's operators, 7 to 28, up or down",
				Value: &whole{least: opset.Min, most: opset.Max}},
			&cli.BoolFlag{Name: "float32", Usage: "float16 and bfloat16 become float32"},
			wholeFlag("batch", "`N` samples: the first dimension of every input", "", 1),
			jsonOption()),
		Action: convertAction,
	}
}

func convertAction(c *cli.Context) error {
	m, err := modelArg(c)
	if err != nil {
		return err
	}
	path := outputPath(c, m)
	sizes, err := parseDims(c.StringSlice("dim"))
	if err != nil {
		return err
	}
	origin := m
	if fixed := infer.FixedBatch(m.Graph); c.IsSet("batch") && fixed > 0 && fixed != c.Int("batch") {
		if m, err = rebatched(c, m, fixed, c.Int("batch")); err != nil {
			return err
		}
	}
	how := onnxio.Convert{Float32: c.Bool("float32"), Dims: sizes, Batch: c.Int("batch")}
	data, err := m.Convert(how)
	if err == nil && c.IsSet("opset") {
		data, err = opset.Convert(m, data, c.Int("opset"), inferredShapes(c.Context, m.Graph))
	}
	var form *opset.Error
	if errors.As(err, &form) {
		return &codeError{code: exitUnsupported, err: err, hint: form.Do}
	}
	if err != nil {
		return err
	}
	old, err := origin.Bytes()
	if err != nil {
		return err
	}
	var diff *number
	if c.IsSet("opset") && !bytes.Equal(data, old) {
		if diff, err = checkConverted(c, m, data); err != nil {
			return fmt.Errorf("%w; nothing was written", err)
		}
	}
	if err := m.SaveBytes(path, data, onnxio.SaveOptions{External: c.Bool("external")}); err != nil {
		return err
	}
	now, err := onnxio.LoadContext(c.Context, path)
	if err != nil {
		return fmt.Errorf("reading the new file again: %w", err)
	}
	d := changeDoc{Model: modelDoc{Path: origin.Path, SHA256: origin.SHA256, Dims: sizes}, Output: modelDoc{Path: path, SHA256: now.SHA256},
		Nodes: [2]int{len(origin.Graph.Nodes), len(now.Graph.Nodes)}, Bytes: [2]int{len(old), len(data)}, Difference: diff}
	if jsonMode(c) != "" {
		return printJSON(c.App.Writer, d)
	}
	what := "as it was, byte for byte"
	if now.SHA256 != origin.SHA256 {
		what = fmt.Sprintf("%d bytes, before %d", len(data), len(old))
	}
	_, err = foreign.Fprintf(c.App.Writer, "%s: %s\n", path, what)
	if err == nil && diff != nil {
		_, err = foreign.Fprintf(c.App.Writer, "largest difference on random inputs: %.1e of the largest output\n", float64(*diff))
	}
	return err
}

// inferredShapes are the shapes of a graph's values as far as they can be inferred, -1 where they follow the batch.
func inferredShapes(ctx context.Context, g *onnxio.Graph) map[string][]int {
	a, err := infer.Prepare(ctx, g, infer.Options{Batch: 2})
	if err != nil {
		return nil
	}
	b, err := infer.Prepare(ctx, g, infer.Options{Batch: 3})
	if err != nil {
		return nil
	}
	out := map[string][]int{}
	for _, n := range a.Nodes {
		for _, v := range slices.Concat(n.Inputs, n.Outputs) {
			if v != nil {
				out[v.Name] = slices.Clone(v.Shape)
			}
		}
	}
	seen := map[string]bool{}
	for _, n := range b.Nodes {
		for _, v := range slices.Concat(n.Inputs, n.Outputs) {
			if v == nil || len(out[v.Name]) != len(v.Shape) {
				continue
			}
			seen[v.Name] = true
			for i, d := range v.Shape {
				if out[v.Name][i] != d {
					out[v.Name][i] = -1
				}
			}
		}
	}
	maps.DeleteFunc(out, func(name string, _ []int) bool { return !seen[name] })
	return out
}

// checkConverted reads a model for another opset and runs it beside the old one. The difference is nil where the old one cannot be run.
func checkConverted(c *cli.Context, m *onnxio.Model, data []byte) (*number, error) {
	now, err := onnxio.Parse(data, m.Dir())
	if err != nil {
		return nil, fmt.Errorf("reading the converted model: %w", err)
	}
	s, err := engine.OpenGraph(c.Context, infer.Unmapped(m.Graph), engine.Options{})
	if err == nil {
		_, err = randomInputs(s.Inputs(), 1)
		s.Close()
	}
	if err != nil {
		if c.Context.Err() != nil {
			return nil, err
		}
		foreign.Fprintf(c.App.ErrWriter, "not run beside the old model: %v\n", err)
		return nil, nil
	}
	diff, err := graphDifference(c.Context, infer.Unmapped(m.Graph), infer.Unmapped(now.Graph))
	var unsupported *onnxio.UnsupportedError
	if errors.As(err, &unsupported) { // the file is right; the older operator is one that the Go engine lacks
		foreign.Fprintf(c.App.ErrWriter, "not run beside the old model: %v\n", err)
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("running the converted model: %w", err)
	}
	if !(diff <= 1e-4) {
		return nil, fmt.Errorf("the converted model's outputs differ by %.1e", diff)
	}
	return (*number)(&diff), nil
}

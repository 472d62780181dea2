package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/onnxio"
)

func convertCommand() *cli.Command {
	return &cli.Command{
		Name:        "convert",
		Usage:       "change a file's form: half precision to float32, sizes of its inputs, weights beside it",
		ArgsUsage:   "MODEL",
		Description: "What need not change stays byte for byte.\nExample: shoal convert model.onnx --batch 1 --float32 -o out.onnx",
		Flags: append(outputFlags(), dimFlag(),
			&cli.BoolFlag{Name: "float32", Usage: "float16 and bfloat16 become float32"},
			&cli.IntFlag{Name: "batch", Usage: "`N` samples: the first dimension of every input that leaves it free"},
			jsonOption()),
		Action: convertAction,
	}
}

func convertAction(c *cli.Context) error {
	m, err := modelArg(c)
	if err != nil {
		return err
	}
	path, err := outputPath(c, m)
	if err != nil {
		return err
	}
	if c.IsSet("batch") && c.Int("batch") < 1 {
		return usageError("", "--batch must be at least 1, not %d", c.Int("batch"))
	}
	sizes, err := parseDims(c.StringSlice("dim"))
	if err != nil {
		return err
	}
	data, err := m.Convert(onnxio.Convert{Float32: c.Bool("float32"), Dims: sizes, Batch: c.Int("batch")})
	if err != nil {
		return err
	}
	old, err := m.Bytes()
	if err != nil {
		return err
	}
	if err := m.SaveBytes(path, data, onnxio.SaveOptions{External: c.Bool("external")}); err != nil {
		return err
	}
	now, err := onnxio.Load(path)
	if err != nil {
		return fmt.Errorf("reading the new file again: %w", err)
	}
	n := len(now.Graph.Nodes)
	d := changeDoc{Model: modelDoc{m.Path, m.SHA256, sizes}, Output: modelDoc{Path: path, SHA256: now.SHA256}, Nodes: [2]int{n, n}, Bytes: [2]int{len(old), len(data)}}
	if jsonMode(c) != "" {
		return printJSON(c.App.Writer, d)
	}
	what := "as it was, byte for byte"
	if now.SHA256 != m.SHA256 {
		what = fmt.Sprintf("%d bytes, before %d", len(data), len(old))
	}
	_, err = fmt.Fprintf(c.App.Writer, "%s: %s\n", path, what)
	return err
}

package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/input"
	"github.com/shallow-waters/shoal/verify"
)

func boundsCommand() *cli.Command {
	flags := append(boundFlags(), dimFlag(),
		&cli.StringFlag{Name: "box", Usage: "JSON `FILE` with lower and upper, in the model's flat input order"},
		&cli.StringFlag{Name: "rows", Usage: "JSON `FILE` with rows over the flat outputs"},
		&cli.BoolFlag{Name: "layers", Usage: "print every activation's input bounds too"},
		&cli.BoolFlag{Name: "plain", Usage: "switch off what goes beyond the published domain"},
		&cli.BoolFlag{Name: "drop-softmax", Usage: "bound the logits below a last Softmax"},
		jsonOption())
	return &cli.Command{
		Name:        "bounds",
		Usage:       "bound linear forms of the outputs over a box of inputs",
		ArgsUsage:   "MODEL",
		Description: "Example: shoal bounds model.onnx --box case.json --rows case.json --method deeppoly --json",
		Flags:       flags,
		Action:      question(boundsAction),
	}
}

func readJSON(ctx context.Context, path string, v any) error {
	d, err := input.ReadFile(ctx, path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(d, v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func boundsAction(c *cli.Context) error {
	m, err := modelArg(c)
	if err != nil {
		return err
	}
	var box struct {
		Lower []float64 `json:"lower"`
		Upper []float64 `json:"upper"`
	}
	var rows struct {
		Rows           [][]float64 `json:"rows"`
		SoftmaxDropped bool        `json:"last_softmax_dropped"`
	}
	if err := readJSON(c.Context, c.String("box"), &box); err != nil {
		return err
	}
	if err := readJSON(c.Context, c.String("rows"), &rows); err != nil {
		return err
	}
	o := boundOptions(c)
	o.Plain, o.DropSoftmax = c.Bool("plain"), c.Bool("drop-softmax") || rows.SoftmaxDropped
	ready, done := beforeDeadline(c)
	defer done()
	v, err := verify.Open(ready, m, o)
	if err != nil {
		return notReady(c, err)
	}
	defer v.Close()
	ctx, cancel := withTimeout(c)
	defer cancel()
	idle := busy(c.App.ErrWriter, "bounding")
	defer idle()
	r, err := v.Bounds(ctx, verify.Box{Lower: box.Lower, Upper: box.Upper}, rows.Rows, c.Bool("layers"))
	idle()
	if err != nil {
		return err
	}
	if jsonMode(c) == "" {
		for i, l := range r.Lower {
			foreign.Fprintf(c.App.Writer, "row %d: >= %.17g\n", i, l)
		}
		sayReading(c.App.Writer, readingOf(c), v.Info().Widened, v.Info().Departures)
		return nil
	}
	doc := map[string]any{"lower": numbers(r.Lower), "seconds": r.Seconds, "method": c.String("method"), "semantics": c.String("semantics"),
		"reading": readingOf(c).String(), "departures": v.Info().Departures, "model": modelOf(c, m)}
	if w := v.Info().Widened; len(w) > 0 {
		doc["widened"] = w
	}
	if c.Bool("layers") {
		var layers []map[string]any
		for _, l := range r.Layers {
			layers = append(layers, map[string]any{"node": l.Node, "op": l.Op, "l": numbers(l.Lower), "u": numbers(l.Upper)})
		}
		doc["layers"] = layers
	}
	return printJSON(c.App.Writer, doc)
}

func numbers(x []float64) []number {
	out := make([]number, len(x))
	for i, v := range x {
		out[i] = number(v)
	}
	return out
}
